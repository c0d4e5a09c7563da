#include "tool/ward.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sys/clock.h"
#include "tool/output.h"
#include "tool/progress.h"

enum {
    PATIENCE_MS = 100,
    NONE_MS = 5000 /* until the DNS may name somebody again */
};

/* ---- who is in it ---- */

/* The service's own name stands in the URL where that is what calls show to the address. */
static void write_url(struct target *target, enum endpoint_scheme scheme, struct place place)
{
    const struct settings_service *settings = target->service->settings;
    struct probe *probe = &target->probe;
    bool is_encrypted = settings->health_type == SETTINGS_HEALTH_TLS || scheme == ENDPOINT_HTTPS;

    if (place.port == 0)
        place.port = is_encrypted ? 443 : 80;
    place_print(&place, target->address);
    const char *host = target->address;
    if (settings->host == SETTINGS_HOST_ASKED) {
        snprintf(probe->route, sizeof probe->route, "::%s", target->address);
        host = target->service->name;
    }
    snprintf(probe->url, sizeof probe->url, "%s://%s%s", is_encrypted ? "https" : "http", host,
             settings->health_type == SETTINGS_HEALTH_HTTP ? target->service->health_path : "/");
    probe->type = (enum settings_health)settings->health_type;
    probe->timeout_ms = settings->health_timeout_ms;
}

static void add_target(struct ward *ward, const struct rules_service *service, enum endpoint_scheme scheme,
                       const struct place *place)
{
    struct target *targets = realloc(ward->targets, (ward->count + 1) * sizeof *targets);

    if (!targets)
        output_die("out of memory");
    ward->targets = targets;
    targets[ward->count] = (struct target){.service = service};
    write_url(&targets[ward->count++], scheme, *place);
}

static struct ward_found *found_of(struct ward *ward, const struct endpoint *url)
{
    for (unsigned i = 0; i < ward->found_count; i++)
        if (ward->found[i].url == url)
            return &ward->found[i];
    struct ward_found *found = realloc(ward->found, (ward->found_count + 1) * sizeof *found);
    struct scout *scout = scout_new(url);
    if (!found || !scout)
        output_die("out of memory");
    ward->found = found;
    found[ward->found_count] = (struct ward_found){.url = url, .scout = scout};
    return &found[ward->found_count++];
}

/* What the DNS says of an SRV name. */
static void add_found(struct ward *ward, const struct rules_service *service, const struct endpoint *url)
{
    struct ward_found *found = found_of(ward, url);

    found->list = scout_addresses(found->scout, !ward->waits_for_none);
    for (uint32_t i = 0; found->list && i < found->list->count; i++)
        add_target(ward, service, url->scheme, &found->list->items[i].place);
}

static void add_service(struct ward *ward, const struct rules_service *service)
{
    for (uint32_t i = 0; i < service->url_count; i++) {
        const struct endpoint *url = &service->urls[i];
        if (url->is_srv)
            add_found(ward, service, url);
        else
            add_target(ward, service, url->scheme, &url->place);
    }
}

static bool is_asked_for(const struct options *options, const char *name)
{
    for (int i = 0; i < options->count; i++)
        if (strcasecmp(options->operands[i], name) == 0)
            return true;
    return options->count == 0;
}

/* Each name that was given must be that of a service with a check. */
static int complain_of_names(const struct options *options, const struct rules *rules)
{
    for (int i = 0; i < options->count; i++) {
        const struct rules_service *service = NULL;
        for (uint32_t s = 0; rules && s < rules_service_count(rules) && !service; s++)
            if (rules_service_at(rules, s) &&
                strcasecmp(rules_service_at(rules, s)->name, options->operands[i]) == 0)
                service = rules_service_at(rules, s);
        if (service && service->has_health)
            continue;
        output_error(service ? "health: %s has no health check; give it one: health = \"/health\""
                             : "health: there is no service %s; `gusset services` lists those that are",
                     output_clean(options->operands[i]));
        return -1;
    }
    return 0;
}

void ward_fill(struct ward *ward, const struct rules *rules, const struct options *options)
{
    ward->rules = rules;
    ward->options = options;
    for (uint32_t i = 0; rules && i < rules_service_count(rules); i++) {
        const struct rules_service *service = rules_service_at(rules, i);
        if (service && service->has_health && is_asked_for(options, service->name))
            add_service(ward, service);
    }
}

static void drop_targets(struct ward *ward)
{
    probe_drop();
    free(ward->targets);
    ward->targets = NULL;
    ward->count = 0;
}

bool ward_follow(struct ward *ward)
{
    bool has_moved = false;

    for (unsigned i = 0; i < ward->found_count; i++) {
        const struct ward_found *found = &ward->found[i];
        has_moved |= scout_addresses(found->scout, !ward->waits_for_none) != found->list;
    }
    if (!has_moved)
        return false;
    drop_targets(ward);
    ward_fill(ward, ward->rules, ward->options);
    return true;
}

int ward_find(struct ward *ward, const struct setup *setup, const struct options *options)
{
    const struct rules *rules = NULL;

    if (setup_apply(setup) < 0 || setup_rules(setup, &rules) < 0 || complain_of_names(options, rules) < 0)
        return -1;
    ward_fill(ward, rules, options);
    if (ward->count)
        return 0;
    output_error(ward_is_empty(ward)
                     ? "health: no service of the configuration has a health check; "
                       "services = ( { name = …; url = …; health = \"/health\"; } ) makes one"
                     : "health: the DNS names no address of the services that have a health check");
    return -1;
}

/* ---- checking ---- */

static uint32_t interval_of(const struct ward *ward, const struct target *target)
{
    return ward->every_ms ? (uint32_t)ward->every_ms : target->service->settings->health_interval_ms;
}

enum vitals_state ward_state(const struct ward *ward, const struct rules_service *service)
{
    enum vitals_state best = VITALS_UNHEALTHY, worst = VITALS_HEALTHY;

    for (unsigned i = 0; i < ward->count; i++) {
        if (ward->targets[i].service != service)
            continue;
        enum vitals_state state = ward->targets[i].vitals.state;
        if (state == VITALS_UNKNOWN)
            return state;
        best = state < best ? state : best;
        worst = state > worst ? state : worst;
    }
    return best == VITALS_UNHEALTHY ? best : worst == VITALS_HEALTHY ? worst : VITALS_DEGRADED;
}

/* A circuit is held open until the next check but one should have been. */
static void settle(struct ward *ward, struct target *target)
{
    const struct settings_service *settings = target->service->settings;
    struct map *map = &ward->state.map;
    enum vitals_state before = target->vitals.state, all_before = ward_state(ward, target->service);
    uint64_t open_ms = 2 * (uint64_t)interval_of(ward, target) + settings->health_timeout_ms;

    target->due_ms = clock_now_us() / 1000 + interval_of(ward, target);
    target->vitals = vitals_add(map, target->service->name, target->address, target->probe.outcome,
                                settings->health_failures);
    if (ward->look)
        return;
    uint32_t most_ms = open_ms < UINT32_MAX ? (uint32_t)open_ms : UINT32_MAX;
    vitals_feed(map, target->service->name, target->address, before, target->vitals.state, most_ms);
    vitals_feed(map, target->service->name, NULL, all_before, ward_state(ward, target->service), most_ms);
}

int ward_begin(struct ward *ward)
{
    uint64_t now_ms = clock_now_us() / 1000;

    for (unsigned i = 0; i < ward->count; i++) {
        struct target *target = &ward->targets[i];
        if (target->due_ms > now_ms)
            continue;
        if (probe_begin(&target->probe) < 0)
            return -1;
        target->due_ms = UINT64_MAX;
    }
    return 0;
}

/* What others have learnt meanwhile counts. */
static void read_all(struct ward *ward)
{
    for (unsigned i = 0; i < ward->count; i++) {
        struct target *target = &ward->targets[i];
        target->vitals = vitals_read(&ward->state.map, target->service->name, target->address);
    }
}

struct target *ward_take(struct ward *ward, enum vitals_state *before)
{
    struct probe *probe = probe_ended();

    if (!probe)
        return NULL;
    struct target *target = (struct target *)(void *)((char *)probe - offsetof(struct target, probe));
    read_all(ward);
    *before = target->vitals.state;
    settle(ward, target);
    return target;
}

static unsigned running_of(const struct ward *ward)
{
    unsigned running = 0;

    for (unsigned i = 0; i < ward->count; i++)
        running += ward->targets[i].due_ms == UINT64_MAX;
    return running;
}

static void wait_for_all(struct ward *ward)
{
    unsigned count = running_of(ward), running;
    struct progress progress;
    enum vitals_state before;

    progress_begin(&progress, ward->is_slow_told);
    while ((running = running_of(ward)) > 0) {
        while (ward_take(ward, &before))
            running--;
        if (running)
            probe_wait(NULL, 0, PATIENCE_MS);
        progress_tell(&progress, "%u of %u checked", count - running, count);
    }
    progress_erase(&progress);
}

int ward_check(struct ward *ward)
{
    ward_follow(ward);
    if (ward_begin(ward) < 0 || open_or_create(&ward->state) < 0)
        return -1;
    read_all(ward); /* of those that are not due, too */
    wait_for_all(ward);
    map_close(&ward->state.map);
    return 0;
}

uint32_t ward_until_next_ms(const struct ward *ward)
{
    uint64_t now_ms = clock_now_us() / 1000;
    uint64_t next_ms = ward->count ? UINT64_MAX : now_ms + NONE_MS;

    for (unsigned i = 0; i < ward->count; i++)
        if (ward->targets[i].due_ms < next_ms)
            next_ms = ward->targets[i].due_ms;
    if (next_ms <= now_ms)
        return 0;
    return next_ms - now_ms < UINT32_MAX ? (uint32_t)(next_ms - now_ms) : UINT32_MAX;
}

bool ward_is_empty(const struct ward *ward)
{
    return ward->count == 0 && ward->found_count == 0;
}

void ward_clear(struct ward *ward)
{
    drop_targets(ward);
    for (unsigned i = 0; i < ward->found_count; i++)
        scout_free(ward->found[i].scout);
    free(ward->found);
    ward->found = NULL;
    ward->found_count = 0;
}
