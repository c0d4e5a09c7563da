#include "config/model.h"
#include "config/defaults.h"
#include "config/field.h"

#include <errno.h>
#include <string.h>

int model_init(struct model *model)
{
    memset(model, 0, sizeof *model);
    defaults_apply_globals(&model->globals);
    if (!table_add(&model->pool, 1, 1))
        return -ENOMEM;
    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *entry = settings_at(i);
        if (entry->place != SETTINGS_OF_FILE || entry->kind != SETTINGS_TEXT)
            continue;
        uint32_t text = model_text(model, entry->initial, strlen(entry->initial));
        memcpy((char *)&model->globals + entry->offset, &text, sizeof text);
    }
    return model_failed(model) ? -ENOMEM : 0;
}

void model_clear(struct model *model)
{
    table_clear(&model->pool);
    table_clear(&model->sources);
    table_clear(&model->assignments);
    table_clear(&model->headers);
    table_clear(&model->policies);
    table_clear(&model->rules);
    table_clear(&model->words);
    table_clear(&model->variants);
    table_clear(&model->ways);
    table_clear(&model->services);
    table_clear(&model->urls);
}

bool model_failed(const struct model *model)
{
    return model->pool.failed || model->sources.failed || model->assignments.failed ||
           model->headers.failed || model->policies.failed || model->rules.failed || model->words.failed ||
           model->ways.failed || model->services.failed || model->urls.failed || model->variants.failed;
}

uint32_t model_text(struct model *model, const char *text, size_t length)
{
    uint32_t offset = model->pool.count;
    uintptr_t distance = (uintptr_t)text - (uintptr_t)model->pool.items; /* the pool moves as it grows */
    bool is_inside = distance < model->pool.count;

    if (length == 0 || length > UINT32_MAX / 8)
        return 0;
    char *room = table_add(&model->pool, 1, (uint32_t)length + 1);
    if (!room)
        return 0;
    memcpy(room, is_inside ? (const char *)model->pool.items + distance : text, length);
    return offset;
}

const char *model_string(const struct model *model, uint32_t offset)
{
    return (const char *)model->pool.items + offset;
}

struct model_policy *model_policy(const struct model *model, uint32_t index)
{
    return (struct model_policy *)model->policies.items + index;
}

struct model_rule *model_rule(const struct model *model, uint32_t index)
{
    return (struct model_rule *)model->rules.items + index;
}

struct model_assignment *model_assignment(const struct model *model, uint32_t index)
{
    return (struct model_assignment *)model->assignments.items + index;
}

struct model_header *model_header(const struct model *model, uint32_t index)
{
    return (struct model_header *)model->headers.items + index;
}

struct model_source *model_source(const struct model *model, uint32_t index)
{
    return (struct model_source *)model->sources.items + index;
}

struct model_way *model_way(const struct model *model, uint32_t index)
{
    return (struct model_way *)model->ways.items + index;
}

struct model_service *model_service(const struct model *model, uint32_t index)
{
    return (struct model_service *)model->services.items + index;
}

struct variant *model_variant(const struct model *model, uint32_t index)
{
    return (struct variant *)model->variants.items + index;
}

struct model_url *model_url(const struct model *model, uint32_t index)
{
    return (struct model_url *)model->urls.items + index;
}

const char *model_word(const struct model *model, uint32_t index)
{
    return model_string(model, ((const uint32_t *)model->words.items)[index]);
}

uint64_t model_changed_ms(const struct model *model)
{
    int64_t newest_ns = 0;
    for (uint32_t i = 0; i < model->sources.count; i++)
        if (model_source(model, i)->identity.mtime_ns > newest_ns)
            newest_ns = model_source(model, i)->identity.mtime_ns;
    return (uint64_t)newest_ns / 1000000;
}

uint32_t model_add_source(struct model *model, const char *path, const struct source_identity *identity)
{
    uint32_t index = model->sources.count;
    for (uint32_t i = 0; i < index; i++)
        if (source_is_same(&model_source(model, i)->identity, identity) &&
            strcmp(model_string(model, model_source(model, i)->path), path) == 0)
            return i;
    uint32_t text = model_text(model, path, strlen(path));
    struct model_source *source = table_add(&model->sources, sizeof *source, 1);
    if (!source)
        return 0;
    *source = (struct model_source){text, *identity};
    return index;
}

uint32_t model_add_policy(struct model *model, const char *name, uint32_t base, struct model_origin origin)
{
    uint32_t index = model->policies.count;
    uint32_t text = model_text(model, name, strlen(name));
    struct model_policy *policy = table_add(&model->policies, sizeof *policy, 1);
    if (!policy)
        return (uint32_t)MODEL_NONE;
    if (base != (uint32_t)MODEL_NONE)
        policy->values = model_policy(model, base)->values;
    policy->values.name = text;
    policy->base = base;
    policy->assignments_first = model->assignments.count;
    policy->origin = origin;
    return index;
}

uint32_t model_find_policy(const struct model *model, const char *name)
{
    uint32_t found = (uint32_t)MODEL_NONE;
    for (uint32_t i = 0; i < model->policies.count; i++) {
        const struct model_policy *policy = model_policy(model, i);
        if (strcmp(model_string(model, policy->values.name), name) != 0)
            continue;
        if (policy->origin.kind == MODEL_FILE)
            return i;
        found = i;
    }
    return found;
}

/* Texts of the group take their defaults too; the table of settings cannot do that, it has no pool. */
static void apply_texts(struct model *model, struct policy *values, uint32_t group)
{
    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *entry = settings_at(i);
        if (!(entry->group & group) || entry->kind != SETTINGS_TEXT)
            continue;
        uint32_t text = model_text(model, entry->initial, strlen(entry->initial));
        memcpy((char *)values + entry->offset, &text, sizeof text);
    }
}

void model_apply_group(struct model *model, uint32_t policy, uint32_t group)
{
    struct policy *values = &model_policy(model, policy)->values;
    if (values->groups & group || group == 0)
        return;
    defaults_apply_group(values, group);
    apply_texts(model, values, group);
}

static void store(void *base, const struct model_assignment *assignment, const char *expansion)
{
    const struct settings_entry *entry = settings_at(assignment->setting);
    if (entry->kind == SETTINGS_TEXT) {
        memcpy((char *)base + entry->offset, &assignment->text, sizeof assignment->text);
        return;
    }
    if (!expansion || !field_parse(entry, base, expansion, strlen(expansion)))
        field_reset(entry, base);
}

void model_assign(struct model *model, uint32_t policy, const struct model_assignment *assignment,
                  const char *expansion)
{
    struct model_assignment *kept = table_add(&model->assignments, sizeof *kept, 1);
    if (!kept)
        return;
    *kept = *assignment;
    model_apply_group(model, policy, settings_at(assignment->setting)->group);
    struct model_policy *into = model_policy(model, policy);
    into->assignments_count++;
    store(&into->values, assignment, expansion);
}

void model_assign_global(struct model *model, const struct model_assignment *assignment,
                         const char *expansion)
{
    struct model_assignment *kept = table_add(&model->assignments, sizeof *kept, 1);
    if (!kept)
        return;
    *kept = *assignment;
    model->origin_of_global[assignment->setting] = model->assignments.count;
    store(&model->globals, assignment, expansion);
}

/* Aliases write to the same place, so they are the same setting. */
static bool is_same_setting(unsigned a, unsigned b)
{
    const struct settings_entry *one = settings_at(a), *other = settings_at(b);
    return a == b || (one->place == other->place && one->offset == other->offset);
}

const struct model_assignment *model_effective(const struct model *model, uint32_t policy, unsigned setting)
{
    for (uint32_t i = model->set_count; i-- > 0;) {
        const struct model_assignment *set = model_assignment(model, model->set_first + i);
        if (is_same_setting(set->setting, setting))
            return set;
    }
    while (policy != (uint32_t)MODEL_NONE) {
        const struct model_policy *at = model_policy(model, policy);
        for (uint32_t i = at->assignments_count; i-- > 0;) {
            const struct model_assignment *own = model_assignment(model, at->assignments_first + i);
            if (is_same_setting(own->setting, setting))
                return own;
        }
        policy = at->base;
    }
    return NULL;
}

/* Texts lie in the pool, of which the table of settings knows nothing. */
static void reset_service(struct model *model, struct settings_service *values)
{
    defaults_apply_service(values);
    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *entry = settings_at(i);
        if (entry->place != SETTINGS_OF_SERVICE || entry->kind != SETTINGS_TEXT)
            continue;
        uint32_t text = model_text(model, entry->initial, strlen(entry->initial));
        memcpy((char *)values + entry->offset, &text, sizeof text);
    }
}

uint32_t model_add_service(struct model *model, const char *name, struct model_origin origin)
{
    uint32_t index = model->services.count;
    struct model_service service = {
        .name = model_text(model, name, strlen(name)),
        .urls_first = model->urls.count,
        .policy = (uint32_t)MODEL_NONE,
        .assignments_first = model->assignments.count,
        .origin = origin,
    };
    reset_service(model, &service.values);
    struct model_service *kept = table_add(&model->services, sizeof *kept, 1);
    if (!kept)
        return (uint32_t)MODEL_NONE;
    *kept = service;
    return index;
}

void model_assign_service(struct model *model, uint32_t service, const struct model_assignment *assignment,
                          const char *expansion)
{
    struct model_assignment *kept = table_add(&model->assignments, sizeof *kept, 1);
    if (!kept)
        return;
    *kept = *assignment;
    struct model_service *into = model_service(model, service);
    into->assignments_count++;
    store(&into->values, assignment, expansion);
}

uint32_t model_find_service(const struct model *model, const char *name)
{
    for (uint32_t i = 0; i < model->services.count; i++)
        if (strcmp(model_string(model, model_service(model, i)->name), name) == 0)
            return i;
    return (uint32_t)MODEL_NONE;
}

const struct model_assignment *model_effective_of_service(const struct model *model, uint32_t service,
                                                          unsigned setting)
{
    const struct model_service *at = model_service(model, service);
    for (uint32_t i = at->assignments_count; i-- > 0;) {
        const struct model_assignment *own = model_assignment(model, at->assignments_first + i);
        if (own->setting == setting)
            return own;
    }
    return NULL;
}
