/* The policies of a file: extends, groups, headers. */
#ifndef GUSSET_CONFIG_POLICIES_H
#define GUSSET_CONFIG_POLICIES_H

#include "config/reader.h"

enum {
    POLICIES_CHAIN_MOST = 32 /* that extend each other: each is read on top of the one that extends it */
};

/* Reads the group `policies` into the model. */
void policies_read(struct reader *reader, const struct config_setting_t *group);

/*
 * The model's index of a policy by name: the file's own before a built-in one, which is added when it is
 * first asked for; MODEL_NONE when there is none.
 */
uint32_t policies_find(struct reader *reader, const char *name);

/* "did you mean" and the name nearest to a mistyped one, or what names there are. */
void policies_suggest(const struct reader *reader, const char *name, char *text, size_t size);

/* As a base: one that was named and is not there, so that what is left out cannot be judged. */
enum { POLICIES_UNKNOWN = -2 };

/*
 * A policy that says what base does (MODEL_NONE: nothing) and on top of it what stands in place in a group.
 * words are keys of the group that its reader takes itself (ended by NULL).
 */
uint32_t policies_derive(struct reader *reader, const char *name, uint32_t base,
                         const struct config_setting_t *group, const char *const *words);

#endif
