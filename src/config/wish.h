/*
 * What a process asks the configuration for: its environment's wishes, which it may change while it runs, so
 * that they are kept as they were when rules were opened.
 */
#ifndef GUSSET_CONFIG_WISH_H
#define GUSSET_CONFIG_WISH_H

#include <stdbool.h>

#include "config/arena.h"
#include "config/source.h"

/* What the environment asks for: GUSSET_CONFIG, XDG_CONFIG_HOME, HOME, GUSSET_POLICY, GUSSET_SET. Borrowed
 * from it. */
void wish_read(struct source_request *request);

/* A policy that was only assumed is not asked for any more where there is a file by now. */
void wish_settle(struct source_request *request);

/* Whether there is a configuration in a file; one that was named counts, there or not. */
bool wish_has_file(const struct source_request *request, const struct source_paths *paths);

/* A copy in the arena; where there is no memory, of nothing. */
struct source_request wish_keep(const struct source_request *request, struct arena *arena);

#endif
