#include "tool/cover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy.h"
#include "tool/output.h"
#include "tool/setup.h"

enum { NAMED_MOST = 6 }; /* of the hosts; the others are counted */

static bool is_for(const struct model *model, const struct model_rule *rule, const char *program)
{
    for (uint32_t i = 0; i < rule->programs_count; i++)
        if (strcmp(model_word(model, rule->programs_first + i), program) == 0)
            return true;
    return rule->programs_count == 0;
}

/* Several rules may mean one host by paths and methods; they follow each other. */
static bool is_another(const struct model *model, uint32_t index)
{
    return index == 0 || strcmp(model_string(model, model_rule(model, index)->match),
                                model_string(model, model_rule(model, index - 1)->match)) != 0;
}

void cover_note(struct reach *reach, const char *program, const char *config)
{
    const struct setup setup = {.config = config && *config ? config : NULL};
    char names[REACH_NOTE] = "";
    size_t length = 0;
    unsigned count = 0;
    struct model model;

    if (setup.config && setup_apply(&setup) < 0)
        return;
    setup_model_or_empty(&setup, &model);
    for (uint32_t i = 0; i < model.rules.count; i++) {
        const struct model_rule *rule = model_rule(&model, i);
        if (rule->mode == POLICY_OFF || !is_for(&model, rule, program) || !is_another(&model, i))
            continue;
        const char *match = model_string(&model, rule->match);
        if (count++ < NAMED_MOST && length + strlen(match) + 3 < sizeof names / 2)
            length +=
                (size_t)snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "", match);
    }
    if (count)
        reach_note(
            reach,
            "rules mean %s%s; calls to others are left alone, and their connects counted as unprotected",
            names, count > NAMED_MOST ? " and others" : "");
    else if (!model.is_empty)
        reach_note(reach,
                   "no rule means any host for it: it runs as without gusset; `gusset check` tells more");
    model_clear(&model);
}
