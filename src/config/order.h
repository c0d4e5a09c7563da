/*
 * The order of rules: name before longest suffix before smallest network before "*", then those with a
 * port, then the longest literal start of a path, then the fewest methods, then the fewest programs.
 */
#ifndef GUSSET_CONFIG_ORDER_H
#define GUSSET_CONFIG_ORDER_H

#include "config/fault.h"
#include "config/model.h"

/*
 * Fills model->ways from model->rules, the most specific first; rules with the same pattern follow each
 * other. Two that are equally specific and could both match one call are a fault.
 */
void order_rules(struct model *model, struct fault_list *faults);

/* Whether the text matches the glob, in which a star stands for any bytes. */
bool order_glob_matches(const char *glob, const char *text, size_t length);

/* Whether some text matches both. */
bool order_globs_overlap(const char *a, const char *b);

#endif
