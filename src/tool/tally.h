/*
 * The count of one `gusset run --report`: a state file of the run's own beside the shared one, filled by
 * every process of the run, and the table that is made of it.
 */
#ifndef GUSSET_TOOL_TALLY_H
#define GUSSET_TOOL_TALLY_H

#include <limits.h>
#include <stdbool.h>

#include "state/map.h"

struct tally {
    struct map map;
    char folder[PATH_MAX];
    char path[PATH_MAX];
    char outer[PATH_MAX]; /* of a run around this one; "" */
};

/* Makes the file and names it in $GUSSET_TALLY. Returns 0, or -1 after a warning: the run goes on without. */
int tally_open(struct tally *tally);

/* Says on standard error what was done. */
void tally_print(const struct tally *tally, const char *program, bool shadow, bool json);

/* Adds the count to the outer run's, if there is one, and removes the file. */
void tally_close(struct tally *tally);

#endif
