#include "config/rules.h"

#include <errno.h>
#include <string.h>

#include "config/arena.h"
#include "config/cache.h"
#include "config/draw.h"
#include "config/globals.h"
#include "config/prepared.h"
#include "config/registry.h"
#include "config/scratch.h"
#include "config/search.h"
#include "config/supply.h"
#include "config/value.h"
#include "config/wish.h"
#include "sys/clock.h"

enum { PROGRAM_MOST = 256 };

struct rules {
    struct image image;
    struct arena arena;
    struct prepared prepared; /* the policies */
    struct registry registry; /* the services */
    struct rules_globals globals;
    struct draw draw;              /* where there are variants */
    struct source_request request; /* that they were opened for */
    char program[PROGRAM_MOST];
};

void rules_listen(rules_listener *to)
{
    scratch_listen(to);
}

/* What is made ready at its first use changes what is constant otherwise. */
static const struct rules_policy *policy_at(const struct rules *rules, uint32_t index)
{
    return prepared_at(&((struct rules *)(uintptr_t)rules)->prepared, index);
}

/* A service is found under any rules, or none. */
static bool find_plain(const struct rules *rules, const struct place *place, struct rules_match *match)
{
    int32_t index =
        place->family == PLACE_NAME ? search_service(&rules->image, place->name, place->name_length) : -1;
    if (index < 0)
        return false;
    match->policy = policy_at(rules, image_service(&rules->image, (uint32_t)index)->policy);
    match->mode = rules->globals.mode;
    match->rule = UINT32_MAX;
    match->is_moving = false;
    return match->policy != NULL;
}

/* The policy of the variant that this process has drawn. Apart: most rules have none. */
static __attribute__((noinline)) uint32_t draw_policy(const struct rules *rules,
                                                      const struct image_rule *rule, bool *is_moving)
{
    const struct variant *variants =
        image_variants(&rules->image, rule->variants_first, rule->variants_count);
    if (!variants)
        return rule->policy;
    uint64_t now_ms = clock_unix_ms(), changed_ms = rules->image.header->changed_ms;
    uint64_t age_ms = now_ms > changed_ms ? now_ms - changed_ms : 0;
    *is_moving = variant_is_moving(variants, rule->variants_count, age_ms);
    return variants[variant_choose(variants, rule->variants_count, draw_for(&rules->draw, rule->by), age_ms)]
        .policy;
}

bool rules_find(const struct rules *rules, const struct rules_query *query, struct rules_match *match)
{
    const struct image_rule *rule = search_rule(&rules->image, query, rules->program);
    if (!rule)
        return find_plain(rules, query->place, match);
    match->is_moving = false;
    match->policy =
        policy_at(rules, rule->variants_count ? draw_policy(rules, rule, &match->is_moving) : rule->policy);
    match->mode = rule->mode >= POLICY_ENFORCE && rule->mode <= POLICY_OFF ? (enum policy_mode)rule->mode
                                                                           : rules->globals.mode;
    match->rule = rule->origin;
    return match->policy != NULL;
}

uint32_t rules_service_count(const struct rules *rules)
{
    return rules->image.header->services.count;
}

const struct rules_service *rules_service_at(const struct rules *rules, uint32_t index)
{
    return registry_at(&((struct rules *)(uintptr_t)rules)->registry, index);
}

const struct rules_service *rules_service(const struct rules *rules, const char *name, size_t length)
{
    int32_t index = search_service(&rules->image, name, length);
    return index < 0 ? NULL : rules_service_at(rules, (uint32_t)index);
}

bool rules_has_unix(const struct rules *rules)
{
    return rules->image.header->has_unix != 0;
}

const struct rules_globals *rules_globals(const struct rules *rules)
{
    return &rules->globals;
}

bool rules_are_fresh(const struct rules *rules)
{
    return image_is_fresh(&rules->image);
}

uint64_t rules_source_bytes(const struct rules *rules)
{
    return image_source_bytes(&rules->image);
}

static int make_rules(const struct rules **out, const struct image *image,
                      const struct source_request *request, const char *program)
{
    struct arena arena = {NULL};
    struct rules *rules = arena_take(&arena, sizeof *rules);
    if (!rules)
        return -ENOMEM;
    rules->image = *image;
    atomic_store(&rules->arena.newest, atomic_load(&arena.newest));
    struct value_text name = {rules->program, sizeof rules->program, 0};
    value_put(&name, program ? program : "");
    if (!prepared_open(&rules->prepared, &rules->image, &rules->arena) ||
        !registry_open(&rules->registry, &rules->image, &rules->arena) ||
        !globals_expand(&rules->globals, &rules->image, &rules->arena))
        return -ENOMEM;
    rules->request = wish_keep(request, &rules->arena);
    if (image->header->variants.count > 0)
        rules->draw = draw_make(rules->globals.request_id, rules->globals.tenant_id);
    *out = rules;
    return 0;
}

void rules_close(const struct rules *rules)
{
    struct rules own = *rules; /* the rules lie in their own arena */
    cache_close(&own.image);
    arena_clear(&own.arena);
}

int rules_open_for(const struct rules **out, const struct source_request *request, const char *program,
                   bool may_compile, char *text, size_t size)
{
    const int kept = errno;
    struct image image;

    *out = NULL;
    text[0] = 0;
    int result = supply_image(&image, request, may_compile, text, size);
    if (result == 0 && image.header)
        result = make_rules(out, &image, request, program);
    errno = kept;
    return result;
}

int rules_open(const struct rules **out, const char *program, bool may_compile, char *text, size_t size)
{
    struct source_request request;
    wish_read(&request);
    return rules_open_for(out, &request, program, may_compile, text, size);
}

int rules_open_again(const struct rules **out, const struct rules *before, bool may_compile, char *text,
                     size_t size)
{
    struct source_request request = before->request;
    wish_settle(&request);
    return rules_open_for(out, &request, before->program, may_compile, text, size);
}
