#include "tool/ruling.h"

#include <stdio.h>
#include <string.h>

#include "config/preset.h"
#include "config/value.h"
#include "sys/clock.h"

static void find_winner(struct ruling *ruling)
{
    struct explain_candidate candidate;

    ruling->policy = ruling->service = (uint32_t)MODEL_NONE;
    for (uint32_t at = 0; explain_next(&ruling->model, &ruling->query, ruling->program, &at, &candidate);)
        if (candidate.verdict == EXPLAIN_MATCHES) {
            ruling->winner = candidate.rule;
            ruling->policy = candidate.rule->policy;
            break;
        }
    if (ruling->query.place->family == PLACE_NAME)
        ruling->service = model_find_service(&ruling->model, ruling->query.place->name);
    if (!ruling->winner && ruling->service != (uint32_t)MODEL_NONE)
        ruling->policy = model_service(&ruling->model, ruling->service)->policy;
}

static void find_policy(struct ruling *ruling)
{
    ruling->service = (uint32_t)MODEL_NONE;
    ruling->policy = model_find_policy(&ruling->model, ruling->asked_policy);
    if (ruling->policy == (uint32_t)MODEL_NONE) /* locked: what was asked for did not count */
        ruling->policy = preset_add(&ruling->model, ruling->asked_policy);
}

void ruling_find(struct ruling *ruling)
{
    if (ruling->asked_policy)
        find_policy(ruling);
    else
        find_winner(ruling);
    standing_find(&ruling->standing, &ruling->model, ruling->winner,
                  ruling->asked_policy ? NULL : ruling->place);
}

const char *ruling_policy_name(const struct ruling *ruling, uint32_t policy)
{
    return model_string(&ruling->model, model_policy(&ruling->model, policy)->values.name);
}

const char *ruling_match(const struct ruling *ruling, const struct model_rule *rule)
{
    return model_string(&ruling->model, rule->match);
}

/* The rule that stands for --policy, or for nothing at all, has no place in a file. */
void ruling_origin(const struct ruling *ruling, const struct model_rule *rule, char *text, size_t size)
{
    if (rule->origin.kind == MODEL_SET)
        snprintf(text, size, "%s", ruling->is_assumed ? "gusset run" : "GUSSET_POLICY");
    else
        explain_origin(&ruling->model, &rule->origin, text, size);
}

struct ruling_share ruling_share(const struct ruling *ruling, const struct model_rule *rule, uint32_t index)
{
    const struct variant *variants = model_variant(&ruling->model, rule->variants_first);
    struct ruling_share share = {&variants[index], ruling_policy_name(ruling, variants[index].policy), ""};
    struct value_text text = {share.now, sizeof share.now, 0};
    uint64_t now_ms = clock_unix_ms(), changed_ms = model_changed_ms(&ruling->model);
    uint64_t age_ms = now_ms > changed_ms ? now_ms - changed_ms : 0;

    value_put_decimal(&text, variant_share_bp(variants, rule->variants_count, index, age_ms), 2, 0);
    return share;
}

/*
 * A built-in policy's own settings are the table's defaults where it says nothing: that is its word all
 * the same.
 */
const char *ruling_setting_origin(const struct ruling *ruling, const struct explain_setting *setting,
                                  char *text, size_t size)
{
    uint32_t policy = ruling->policy;

    if (strcmp(setting->origin, "default") != 0)
        return setting->origin;
    while (model_policy(&ruling->model, policy)->base != (uint32_t)MODEL_NONE)
        policy = model_policy(&ruling->model, policy)->base;
    const struct model_policy *root = model_policy(&ruling->model, policy);
    if (root->origin.kind != MODEL_BUILT_IN || !(root->values.groups & setting->entry->group))
        return setting->origin;
    explain_origin(&ruling->model, &root->origin, text, size);
    return text;
}

bool ruling_leads(const struct ruling *ruling, const struct registry_url *url, char text[RULING_TARGET])
{
    const struct address *address = &ruling->address;

    return registry_target(&ruling->model, ruling->service, url, &address->place, address->is_encrypted,
                           address->is_url ? address->path : NULL, text, RULING_TARGET);
}
