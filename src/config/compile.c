#include "config/compile.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "config/conflict.h"
#include "config/field.h"
#include "config/hash.h"
#include "config/image.h"

/* Patches of one policy after the other, and of the file. */
struct patches {
    struct table items; /* struct image_patch */
    struct table
        firsts; /* uint32_t: where each policy's begin, the file's, and each service's, and the end */
};

static bool has_templates(const struct model *model)
{
    for (uint32_t i = 0; i < model->assignments.count; i++)
        if (model_assignment(model, i)->is_template)
            return true;
    return false;
}

static void add_patch(struct patches *patches, const struct model_assignment *assignment)
{
    struct image_patch *patch = table_add(&patches->items, sizeof *patch, 1);
    if (patch)
        *patch = (struct image_patch){assignment->setting, assignment->text};
}

/* Texts are no patches: they are expanded where they are used. */
static bool is_patch(const struct model_assignment *assignment)
{
    return assignment && assignment->is_template && settings_at(assignment->setting)->kind != SETTINGS_TEXT;
}

static void collect_policy(const struct model *model, uint32_t policy, struct patches *patches)
{
    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *entry = settings_at(i);
        if (entry->place != SETTINGS_OF_POLICY ||
            entry->surplus != 0) /* an alias counts under its other name */
            continue;
        const struct model_assignment *assignment = model_effective(model, policy, i);
        if (is_patch(assignment))
            add_patch(patches, assignment);
    }
}

static void collect_globals(const struct model *model, struct patches *patches)
{
    for (unsigned i = 0; i < settings_count(); i++) {
        uint32_t origin = model->origin_of_global[i];
        if (origin != 0 && is_patch(model_assignment(model, origin - 1)))
            add_patch(patches, model_assignment(model, origin - 1));
    }
}

static void collect_service(const struct model *model, uint32_t service, struct patches *patches)
{
    for (unsigned i = 0; i < settings_count(); i++) {
        if (settings_at(i)->place != SETTINGS_OF_SERVICE)
            continue;
        const struct model_assignment *assignment = model_effective_of_service(model, service, i);
        if (is_patch(assignment))
            add_patch(patches, assignment);
    }
}

static bool collect(const struct model *model, struct patches *patches)
{
    const bool any = has_templates(model);
    uint32_t *firsts =
        table_add(&patches->firsts, sizeof *firsts, model->policies.count + model->services.count + 2);
    if (!firsts)
        return false;
    for (uint32_t i = 0; i < model->policies.count; i++) {
        firsts[i] = patches->items.count;
        if (any)
            collect_policy(model, i, patches);
    }
    firsts[model->policies.count] = patches->items.count;
    collect_globals(model, patches);
    firsts += model->policies.count + 1;
    for (uint32_t i = 0; i < model->services.count; i++) {
        firsts[i] = patches->items.count;
        if (any)
            collect_service(model, i, patches);
    }
    firsts[model->services.count] = patches->items.count;
    return !patches->items.failed;
}

static uint32_t add_text(struct model *model, const char *text)
{
    return text ? model_text(model, text, strlen(text)) : 0;
}

static struct image_inputs take_inputs(struct model *model, const struct source_paths *paths,
                                       const struct source_request *request)
{
    return (struct image_inputs){
        .system = add_text(model, paths->system),
        .named = add_text(model, paths->named),
        .user = add_text(model, paths->user),
        .policy = add_text(model, request->policy),
        .set = add_text(model, request->set),
    };
}

static struct image_span place(uint64_t *end, uint32_t count, size_t size)
{
    struct image_span span = {(uint32_t)*end, count};
    *end = (*end + (uint64_t)count * size + 7) & ~UINT64_C(7);
    return span;
}

/* At most half full, so that a search that finds nothing ends soon. */
static uint32_t keys_for(uint32_t rules)
{
    uint32_t keys = 4;
    while (keys < rules * 2)
        keys *= 2;
    return keys;
}

static void lay_out(const struct model *model, const struct patches *patches, struct image_header *header)
{
    uint64_t end = sizeof *header;
    header->policies = place(&end, model->policies.count, sizeof(struct policy));
    header->rules = place(&end, model->ways.count, sizeof(struct image_rule));
    header->keys = place(&end, keys_for(model->ways.count), sizeof(struct image_key));
    header->patches = place(&end, patches->items.count, sizeof(struct image_patch));
    header->headers = place(&end, model->headers.count, sizeof(struct image_line));
    header->words = place(&end, model->words.count, sizeof(uint32_t));
    header->sources = place(&end, model->sources.count, sizeof(struct image_source));
    header->services = place(&end, model->services.count, sizeof(struct image_service));
    header->service_keys = place(&end, keys_for(model->services.count), sizeof(struct image_key));
    header->urls = place(&end, model->urls.count, sizeof(uint32_t));
    header->variants = place(&end, model->variants.count, sizeof(struct variant));
    header->pool = place(&end, model->pool.count, 1);
    header->size = end;
}

static void *at(struct image_header *header, struct image_span span)
{
    return (char *)header + span.offset;
}

static void write_policies(const struct model *model, const struct patches *patches,
                           struct image_header *header)
{
    struct policy *policies = at(header, header->policies);
    const uint32_t *firsts = patches->firsts.items;
    const struct image_patch *items = patches->items.items;

    for (uint32_t i = 0; i < model->policies.count; i++) {
        policies[i] = model_policy(model, i)->values;
        policies[i].patches_first = firsts[i];
        policies[i].patches_count = firsts[i + 1] - firsts[i];
        for (uint32_t j = firsts[i]; j < firsts[i + 1];
             j++) /* what an expansion said today must not be kept */
            field_reset(settings_at(items[j].setting), &policies[i]);
        if (policies[i].patches_count > 0)
            conflict_mend(&policies[i]);
    }
    header->globals = model->globals;
    header->global_patches_first = firsts[model->policies.count];
    header->global_patches_count = firsts[model->policies.count + 1] - header->global_patches_first;
    for (uint32_t j = header->global_patches_first; j < firsts[model->policies.count + 1]; j++)
        field_reset(settings_at(items[j].setting), &header->globals);
}

static void write_services(const struct model *model, const struct patches *patches,
                           struct image_header *header)
{
    struct image_service *services = at(header, header->services);
    uint32_t *urls = at(header, header->urls);
    const uint32_t *firsts = (const uint32_t *)patches->firsts.items + model->policies.count + 1;
    const struct image_patch *items = patches->items.items;

    for (uint32_t i = 0; i < model->services.count; i++) {
        const struct model_service *from = model_service(model, i);
        services[i] = (struct image_service){
            .name = from->name,
            .policy = from->policy,
            .urls_first = from->urls_first,
            .urls_count = from->urls_count,
            .patches_first = firsts[i],
            .patches_count = firsts[i + 1] - firsts[i],
            .has_health = from->has_health,
            .values = from->values,
        };
        for (uint32_t j = firsts[i]; j < firsts[i + 1]; j++)
            field_reset(settings_at(items[j].setting), &services[i].values);
    }
    for (uint32_t i = 0; i < model->urls.count; i++)
        urls[i] = model_url(model, i)->text;
}

static void write_lines(const struct model *model, struct image_header *header)
{
    struct image_line *lines = at(header, header->headers);
    for (uint32_t i = 0; i < model->headers.count; i++) {
        const struct model_header *from = model_header(model, i);
        lines[i] = (struct image_line){from->name, from->value, from->override};
    }
}

static void write_sources(const struct model *model, struct image_header *header)
{
    struct image_source *sources = at(header, header->sources);
    for (uint32_t i = 0; i < model->sources.count; i++) {
        sources[i].identity = model_source(model, i)->identity;
        sources[i].path = model_source(model, i)->path;
    }
    header->changed_ms = model_changed_ms(model);
}

static void write_rules(const struct model *model, struct image_header *header)
{
    struct image_rule *rules = at(header, header->rules);
    for (uint32_t i = 0; i < model->ways.count; i++) {
        const struct model_way *way = model_way(model, i);
        const struct model_rule *from = model_rule(model, way->rule);
        rules[i] = (struct image_rule){
            .name = from->name,
            .policy = from->policy,
            .path = way->path,
            .methods = from->methods,
            .programs_first = from->programs_first,
            .programs_count = from->programs_count,
            .variants_first = from->variants_first,
            .variants_count = from->variants_count,
            .by = from->by,
            .origin = way->rule,
            .run = 1,
            .mode = from->mode,
            .port = from->port,
            .kind = from->kind,
            .family = from->family,
            .prefix_bits = from->prefix_bits,
            .name_length = from->name_length,
        };
        memcpy(rules[i].address, from->address, sizeof rules[i].address);
    }
}

static bool has_same_pattern(const struct model *model, const struct image_rule *a,
                             const struct image_rule *b)
{
    return a->kind == b->kind && a->family == b->family && a->prefix_bits == b->prefix_bits &&
           memcmp(a->address, b->address, sizeof a->address) == 0 &&
           strcmp(model_string(model, a->name), model_string(model, b->name)) == 0;
}

static uint32_t hash_of(const struct model *model, const struct image_rule *rule)
{
    if (rule->kind == PATTERN_NETWORK)
        return hash_network((enum place_family)rule->family, rule->prefix_bits, rule->address);
    return hash_name((enum pattern_kind)rule->kind, model_string(model, rule->name), rule->name_length);
}

static void note(const struct model *model, struct image_header *header, const struct image_rule *rule,
                 uint32_t index)
{
    unsigned labels = 0;
    switch ((enum pattern_kind)rule->kind) {
    case PATTERN_ANY:
        header->any = index + 1;
        break;
    case PATTERN_NETWORK:
        header->prefixes[rule->family == PLACE_IPV6][rule->prefix_bits / 64] |= UINT64_C(1)
                                                                                << (rule->prefix_bits % 64);
        break;
    case PATTERN_SUFFIX:
        for (const char *c = model_string(model, rule->name); *c; c++)
            labels += *c == '.';
        header->suffix_labels |= hash_labels_bit(labels);
        break;
    case PATTERN_UNIX:
        header->has_unix = 1;
        break;
    case PATTERN_NAME:
        break;
    }
}

static void put_key(struct image_header *header, struct image_span span, uint32_t hash, uint32_t index)
{
    struct image_key *keys = at(header, span);
    uint32_t mask = span.count - 1, probe = hash & mask;

    while (keys[probe].rule != 0)
        probe = (probe + 1) & mask;
    keys[probe] = (struct image_key){hash, index + 1};
}

static void write_service_keys(const struct model *model, struct image_header *header)
{
    for (uint32_t i = 0; i < model->services.count; i++) {
        const char *name = model_string(model, model_service(model, i)->name);
        put_key(header, header->service_keys, hash_name(PATTERN_NAME, name, strlen(name)), i);
    }
}

static void write_keys(const struct model *model, struct image_header *header)
{
    struct image_rule *rules = at(header, header->rules);
    uint32_t next;

    for (uint32_t first = 0; first < header->rules.count; first = next) {
        struct image_rule *rule = &rules[first];
        for (next = first + 1; next < header->rules.count && has_same_pattern(model, rule, &rules[next]);
             next++)
            rule->run++;
        note(model, header, rule, first);
        if (rule->kind == PATTERN_ANY)
            continue;
        put_key(header, header->keys, hash_of(model, rule), first);
    }
}

static int build(struct model *model, const struct patches *patches, const struct image_inputs *inputs,
                 void **bytes, size_t *size)
{
    struct image_header layout = {.layout = IMAGE_LAYOUT, .settings = settings_count(), .inputs = *inputs};
    memcpy(layout.magic, IMAGE_MAGIC, sizeof layout.magic);
    lay_out(model, patches, &layout);
    if (layout.size > UINT32_MAX) /* offsets are 32 bits wide */
        return -EFBIG;

    struct image_header *header =
        mmap(NULL, layout.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (header == MAP_FAILED)
        return -ENOMEM;
    *header = layout;
    write_policies(model, patches, header);
    write_lines(model, header);
    write_sources(model, header);
    write_rules(model, header);
    write_keys(model, header);
    write_services(model, patches, header);
    write_service_keys(model, header);
    if (patches->items.count > 0)
        memcpy(at(header, header->patches), patches->items.items,
               patches->items.count * sizeof(struct image_patch));
    if (model->words.count > 0)
        memcpy(at(header, header->words), model->words.items, model->words.count * sizeof(uint32_t));
    if (model->variants.count > 0)
        memcpy(at(header, header->variants), model->variants.items,
               model->variants.count * sizeof(struct variant));
    memcpy(at(header, header->pool), model->pool.items, model->pool.count);
    header->checksum = image_checksum(header);
    *bytes = header;
    *size = layout.size;
    return 0;
}

int compile_image(struct model *model, const struct source_paths *paths, const struct source_request *request,
                  void **bytes, size_t *size)
{
    struct patches patches = {0};
    int result = -ENOMEM;

    struct image_inputs inputs = take_inputs(model, paths, request);
    if (!model_failed(model) && collect(model, &patches))
        result = build(model, &patches, &inputs, bytes, size);
    table_clear(&patches.items);
    table_clear(&patches.firsts);
    return result;
}
