/*
 * The mode that holds for a place, and who said so: the switch (of the host before that of all, but off is
 * off), the environment, the rule, the file, in this order.
 */
#ifndef GUSSET_TOOL_STANDING_H
#define GUSSET_TOOL_STANDING_H

#include "config/explain.h"

struct standing {
    const char *mode;             /* "enforce", "shadow", "off" */
    char from[EXPLAIN_TEXT_MOST]; /* "/etc/gusset/gusset.cfg:12", "`gusset off`", … */
};

/* place: "name:port", or NULL where a policy alone is asked for; rule: that won, or NULL. The switch is that
 * of the state that holds here. */
void standing_find(struct standing *standing, const struct model *model, const struct model_rule *rule,
                   const char *place);

#endif
