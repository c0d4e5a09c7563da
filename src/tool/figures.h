/* What was counted for a host, as columns of a table and as JSON: the same in `status` and in a run's report.
 */
#ifndef GUSSET_TOOL_FIGURES_H
#define GUSSET_TOOL_FIGURES_H

#include "tool/grid.h"
#include "tool/json.h"
#include "tool/snapshot.h"

/* The columns, in the order in which figures_add fills them. */
/* clang-format off */
#define FIGURES_COLUMNS                                                                                      \
    {"CALLS", true}, {"ATTEMPTS", true}, {"RETRIES", true}, {"RESCUED", true}, {"REJECTED", true},           \
    {"FAILED", true}, {"P50", true}, {"P99", true}
#define FIGURES_SPARE 1, 8, 6, 2, 3, 0, 7, 5 /* for a narrow page: grid.h */
/* clang-format on */

void figures_add(struct grid *grid, const struct snapshot *host);

/* What (n) means, where the list holds hosts in shadow. */
void figures_print_note(const struct snapshot_list *list, FILE *to);

void figures_sum(struct snapshot *total, const struct snapshot_list *list);

/* Every counter by its name, the errors that came by their type, and the latency, into the object that is
 * open. */
void figures_write(struct json *json, const struct snapshot *host);

#endif
