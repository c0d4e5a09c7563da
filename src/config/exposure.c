#include "config/exposure.h"

#include <strings.h>

#include "config/expand.h"

/* Whether the text takes anything from outside but the process's own name and user. */
static bool comes_from_outside(const char *text)
{
    struct expand_use use;

    while (expand_next(&text, &use))
        if (!use.is_own)
            return true;
    return false;
}

static bool is_secret(const struct model *model, const struct model_header *header)
{
    const char *name = model_string(model, header->name);

    return strcasecmp(name, "Authorization") == 0 || strcasecmp(name, "Cookie") == 0 ||
           comes_from_outside(model_string(model, header->value));
}

/* The name of the first such header, or NULL. */
static const char *find_secret(const struct model *model, const struct policy *policy)
{
    for (uint32_t i = 0; i < policy->headers_count; i++) {
        const struct model_header *header = model_header(model, policy->headers_first + i);
        if (is_secret(model, header))
            return model_string(model, header->name);
    }
    return NULL;
}

void exposure_warn(const struct reader *reader, const struct config_setting_t *group,
                   const struct model_rule *rule)
{
    const struct model *model = reader->model;
    uint32_t count = rule->variants_count ? rule->variants_count : 1;
    bool propagates = false;
    const char *secret = NULL;

    if (rule->kind != PATTERN_ANY)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index =
            rule->variants_count ? model_variant(model, rule->variants_first + i)->policy : rule->policy;
        const struct policy *policy = &model_policy(model, index)->values;
        propagates |= policy->propagate != 0;
        secret = secret ? secret : find_secret(model, policy);
    }
    if (propagates)
        reader_warn(reader, group, "match \"*\" with propagate: third parties learn what is propagated");
    if (secret)
        reader_warn(reader, group, "match \"*\" with the header %s: third parties learn its value", secret);
}
