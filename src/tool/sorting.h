/* The order in which hosts are listed. */
#ifndef GUSSET_TOOL_SORTING_H
#define GUSSET_TOOL_SORTING_H

#include "tool/snapshot.h"

enum sorting {
    SORTING_BY_HOST, /* as snapshot_take has them */
    SORTING_BY_CIRCUIT,
    SORTING_BY_P50,
    SORTING_BY_P99,
    SORTING_BY_COUNTER /* and, added to it, an enum layout_counter */
};

/* Finds "host", "circuit", "calls", …; false for another word. */
bool sorting_find(const char *name, enum sorting *sorting);

/* The most first: open circuits, the slowest, the highest count; where these are equal, by host and policy.
 */
void sorting_apply(struct snapshot_list *list, enum sorting sorting);

#endif
