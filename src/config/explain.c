#include "config/explain.h"

#include <string.h>

#include "config/order.h"
#include "config/print.h"
#include "config/value.h"

static void rebuild(const struct model *model, const struct model_rule *rule, struct pattern *pattern)
{
    *pattern = (struct pattern){.kind = rule->kind,
                                .family = rule->family,
                                .prefix_bits = rule->prefix_bits,
                                .name_length = rule->name_length};
    memcpy(pattern->address, rule->address, sizeof pattern->address);
    memcpy(pattern->name, model_string(model, rule->name), rule->name_length);
}

static bool has_program(const struct model *model, const struct model_rule *rule, const char *program)
{
    for (uint32_t i = 0; i < rule->programs_count; i++)
        if (strcmp(model_word(model, rule->programs_first + i), program) == 0)
            return true;
    return rule->programs_count == 0;
}

static enum explain_verdict judge(const struct model *model, const struct model_rule *rule, const char *path,
                                  const struct rules_query *query, const char *program)
{
    if (rule->port != 0 && rule->port != query->place->port)
        return EXPLAIN_OTHER_PORT;
    if (path[0] && (!query->path || !order_glob_matches(path, query->path, query->path_length)))
        return EXPLAIN_OTHER_PATH;
    if (rule->methods != 0 && !(rule->methods & query->method))
        return EXPLAIN_OTHER_METHOD;
    return has_program(model, rule, program ? program : "") ? EXPLAIN_MATCHES : EXPLAIN_OTHER_PROGRAM;
}

bool explain_next(const struct model *model, const struct rules_query *query, const char *program,
                  uint32_t *at, struct explain_candidate *candidate)
{
    struct pattern pattern;
    while (*at < model->ways.count) {
        const struct model_way *way = model_way(model, (*at)++);
        const struct model_rule *rule = model_rule(model, way->rule);
        rebuild(model, rule, &pattern);
        if (!pattern_matches(&pattern, query->place))
            continue;
        const char *path = model_string(model, way->path);
        *candidate =
            (struct explain_candidate){rule, way->rule, path, judge(model, rule, path, query, program)};
        return true;
    }
    return false;
}

const char *explain_verdict_text(enum explain_verdict verdict)
{
    switch (verdict) {
    case EXPLAIN_MATCHES:
        return "matches";
    case EXPLAIN_OTHER_PORT:
        return "another port";
    case EXPLAIN_OTHER_METHOD:
        return "another method";
    case EXPLAIN_OTHER_PATH:
        return "another path";
    case EXPLAIN_OTHER_PROGRAM:
        return "another program";
    }
    return "";
}

void explain_origin(const struct model *model, const struct model_origin *origin, char *text, size_t size)
{
    struct value_text out = {text, size, 0};
    text[0] = 0;
    switch ((enum model_origin_kind)origin->kind) {
    case MODEL_DEFAULT:
        value_put(&out, "default");
        return;
    case MODEL_BUILT_IN:
        value_put(&out, "built-in ");
        value_put(&out, model_string(model, origin->source));
        return;
    case MODEL_FILE:
        value_put(&out, model_string(model, model_source(model, origin->source)->path));
        value_put(&out, ":");
        value_put_decimal(&out, origin->line, 0, 0);
        return;
    case MODEL_SET:
        value_put(&out, "--set");
        return;
    }
}

static const struct model_assignment *find(const struct model *model, uint32_t policy, unsigned index)
{
    if (policy != (uint32_t)MODEL_NONE)
        return model_effective(model, policy, index);
    uint32_t origin = model->origin_of_global[index];
    return origin ? model_assignment(model, origin - 1) : NULL;
}

static void fill(const struct model *model, const struct model_assignment *assignment,
                 const struct settings_entry *entry, const void *base, struct explain_setting *out)
{
    static const struct model_origin by_default = {.kind = MODEL_DEFAULT};

    out->entry = entry;
    out->template = assignment && assignment->is_template ? model_string(model, assignment->text) : NULL;
    print_field(entry, base, model_string(model, 0), out->value, sizeof out->value);
    explain_origin(model, assignment ? &assignment->origin : &by_default, out->origin, sizeof out->origin);
}

bool explain_setting(const struct model *model, uint32_t policy, unsigned index, struct explain_setting *out)
{
    const struct settings_entry *entry = settings_at(index);
    bool is_policy = policy != (uint32_t)MODEL_NONE;
    const void *base = &model->globals;

    if (entry->place != (is_policy ? SETTINGS_OF_POLICY : SETTINGS_OF_FILE) || entry->surplus != 0)
        return false;
    if (is_policy) {
        const struct policy *values = &model_policy(model, policy)->values;
        if ((entry->group & values->groups) != entry->group)
            return false;
        base = values;
    }
    fill(model, find(model, policy, index), entry, base, out);
    return true;
}

bool explain_service_setting(const struct model *model, uint32_t service, unsigned index,
                             struct explain_setting *out)
{
    const struct settings_entry *entry = settings_at(index);

    if (entry->place != SETTINGS_OF_SERVICE)
        return false;
    fill(model, model_effective_of_service(model, service, index), entry,
         &model_service(model, service)->values, out);
    return true;
}
