/*
 * Templates expanded while rules are made ready in a process: room for one text at a time, and a listener who
 * is told of what goes without. Without malloc and stdio, as wherever connect(2) may be called.
 */
#ifndef GUSSET_CONFIG_SCRATCH_H
#define GUSSET_CONFIG_SCRATCH_H

#include "config/expand.h"
#include "config/image.h"

/* A mapping, not the stack, which may be small in a thread. */
struct scratch {
    char *text;
    struct expand_fault fault;
};

/* False when there is no memory. */
bool scratch_open(struct scratch *scratch);
void scratch_close(struct scratch *scratch);

/* The expanded text, until the next one is; NULL after the listener was told of the subject that goes
 * without. */
const char *scratch_expand(struct scratch *scratch, const char *template, const char *subject);

/*
 * Reads the texts of count patches, from the first-th on, into their settings. base is what the place's
 * settings lie in; a damaged patch may name a setting of elsewhere, and is passed over.
 */
void scratch_patch(struct scratch *scratch, const struct image *image, uint32_t first, uint32_t count,
                   enum settings_place place, void *base);

/* See rules_listen; what is said is the two texts in a row. */
typedef void scratch_listener(const char *sentence);
void scratch_listen(scratch_listener *listener);
void scratch_say(const char *subject, const char *reason);

#endif
