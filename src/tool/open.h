/* The shared state, opened for a verb: which file it is, and why it cannot be shown where it cannot. */
#ifndef GUSSET_TOOL_OPEN_H
#define GUSSET_TOOL_OPEN_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "state/map.h"

struct open_state {
    struct map map;
    char path[PATH_MAX];
    bool may_be_shared; /* the file was named by the configuration or by hand: a group may own it */
    bool is_named;      /* by hand: --state */
    uint32_t hosts;     /* of a new file */
};

/*
 * Finds the path: named (--state), $GUSSET_STATE, the configuration's, the default. Returns 0, or -1 after
 * a complaint.
 */
int open_find(struct open_state *state, const char *named);

/* Opens what is there. Returns 0, -ENOENT when there is nothing yet, or another -errno after a complaint. */
int open_existing(struct open_state *state);

/* Opens or creates it. Returns 0, or -errno after a complaint. */
int open_or_create(struct open_state *state);

/*
 * The same for an order to running programs, which whoever names a state means for those that use it: one
 * that was named by hand and is not there is a mistake, and is not made.
 */
int open_to_order(struct open_state *state);

/* The sentence for a state that is not there yet. */
void open_say_none(const struct open_state *state, FILE *to);

#endif
