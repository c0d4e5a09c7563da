/* Checks of the services' health, once or again and again: what is well, since when, and what went wrong
 * last. */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "sys/clock.h"
#include "tool/grid.h"
#include "tool/json.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/probe.h"
#include "tool/screen.h"
#include "tool/setup.h"
#include "tool/vitals.h"

/* Exit statuses, besides that of gusset's own failure. */
enum { ALL_HEALTHY = 0, SOME_DEGRADED = 1, SOME_UNHEALTHY = 2 };

/* An address of a service, which is checked. */
struct target {
    const struct rules_service *service;
    char address[PLACE_TEXT_MAX]; /* "10.0.0.5:8001" */
    struct probe probe;           /* the last */
    struct vitals vitals;
    uint64_t due_ms; /* monotonic */
};

struct health {
    const char *state_path, *watch;
    bool json, look;
    uint64_t every_ms; /* 0: each service's own interval */
    struct setup setup;
    struct open_state state;
    struct target *targets;
    unsigned count;
};

/* ---- what is checked ---- */

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

static void add_target(struct health *health, const struct rules_service *service,
                       enum endpoint_scheme scheme, const struct place *place)
{
    struct target *targets = realloc(health->targets, (health->count + 1) * sizeof *targets);

    if (!targets)
        output_die("out of memory");
    health->targets = targets;
    targets[health->count] = (struct target){.service = service};
    write_url(&targets[health->count++], scheme, *place);
}

static void add_service(struct health *health, const struct rules_service *service)
{
    for (uint32_t i = 0; i < service->url_count; i++)
        add_target(health, service, service->urls[i].scheme, &service->urls[i].place);
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

/* Returns 0, or -1 after a complaint. */
static int find_targets(struct health *health, const struct options *options)
{
    const struct rules *rules = NULL;

    if (setup_apply(&health->setup) < 0 || setup_rules(&health->setup, &rules) < 0 ||
        complain_of_names(options, rules) < 0)
        return -1;
    for (uint32_t i = 0; rules && i < rules_service_count(rules); i++) {
        const struct rules_service *service = rules_service_at(rules, i);
        if (service && service->has_health && is_asked_for(options, service->name))
            add_service(health, service);
    }
    if (health->count)
        return 0;
    output_error("health: no service of the configuration has a health check; "
                 "services = ( { name = …; url = …; health = \"/health\"; } ) makes one");
    return -1;
}

/* ---- checking ---- */

static uint32_t interval_of(const struct health *health, const struct target *target)
{
    return health->every_ms ? (uint32_t)health->every_ms : target->service->settings->health_interval_ms;
}

/* Well as a whole while one address is: the others are passed over. */
static enum vitals_state state_of(const struct health *health, const struct rules_service *service)
{
    enum vitals_state best = VITALS_UNHEALTHY, worst = VITALS_HEALTHY;

    for (unsigned i = 0; i < health->count; i++) {
        if (health->targets[i].service != service)
            continue;
        enum vitals_state state = health->targets[i].vitals.state;
        if (state == VITALS_UNKNOWN)
            return state;
        best = state < best ? state : best;
        worst = state > worst ? state : worst;
    }
    return best == VITALS_UNHEALTHY ? best : worst == VITALS_HEALTHY ? worst : VITALS_DEGRADED;
}

/* A circuit is held open until the next check but one should have been. */
static void settle(struct health *health, struct target *target)
{
    const struct settings_service *settings = target->service->settings;
    struct map *map = &health->state.map;
    enum vitals_state before = target->vitals.state, all_before = state_of(health, target->service);
    uint64_t open_ms = 2 * (uint64_t)interval_of(health, target) + settings->health_timeout_ms;

    target->due_ms = clock_now_us() / 1000 + interval_of(health, target);
    target->vitals = vitals_add(map, target->service->name, target->address, target->probe.outcome,
                                settings->health_failures);
    if (health->look)
        return;
    uint32_t most_ms = open_ms < UINT32_MAX ? (uint32_t)open_ms : UINT32_MAX;
    vitals_feed(map, target->service->name, target->address, before, target->vitals.state, most_ms);
    vitals_feed(map, target->service->name, NULL, all_before, state_of(health, target->service), most_ms);
}

/* Checks those that are due, all at once. Returns 0, or -1 after a complaint. */
static int check_due(struct health *health)
{
    struct probe *probes = calloc(health->count, sizeof *probes);
    uint64_t now_ms = clock_now_us() / 1000;
    unsigned due = 0;

    if (!probes)
        output_die("out of memory");
    for (unsigned i = 0; i < health->count; i++)
        if (health->targets[i].due_ms <= now_ms)
            probes[due++] = health->targets[i].probe;
    int result = probe_run(probes, due);
    if (result == 0)
        result = open_or_create(&health->state) < 0 ? -1 : 0;
    for (unsigned i = 0, at = 0; result == 0 && i < health->count; i++) {
        struct target *target = &health->targets[i];
        target->vitals = vitals_read(&health->state.map, target->service->name, target->address);
        if (target->due_ms <= now_ms)
            target->probe = probes[at++];
    }
    for (unsigned i = 0; result == 0 && i < health->count; i++)
        if (health->targets[i].due_ms <= now_ms)
            settle(health, &health->targets[i]);
    map_close(&health->state.map);
    free(probes);
    return result;
}

/* ---- telling ---- */

static enum output_style style_of(enum vitals_state state)
{
    switch (state) {
    case VITALS_HEALTHY:
        return OUTPUT_GOOD;
    case VITALS_UNHEALTHY:
        return OUTPUT_BAD;
    case VITALS_DEGRADED:
    case VITALS_UNKNOWN:
        break;
    }
    return OUTPUT_DOUBTFUL;
}

static uint64_t for_ms(const struct target *target)
{
    uint64_t now_ms = clock_unix_ms(), since_ms = target->vitals.since_unix_ms;
    return since_ms && since_ms < now_ms ? now_ms - since_ms : 0;
}

/* This check's failure in full, else the type of the last one that there was. */
static void add_error(struct grid *grid, const struct target *target)
{
    const struct probe *probe = &target->probe;
    const struct outcome *last = &target->vitals.last;

    if (probe->outcome.type != OUTCOME_SUCCESS)
        grid_add(grid, OUTPUT_PLAIN, "%s: %s, %u of %u", outcome_type_name(probe->outcome.type), probe->text,
                 target->vitals.failures, target->service->settings->health_failures);
    else if (last->type == OUTCOME_SUCCESS)
        grid_add(grid, OUTPUT_PLAIN, "-");
    else if (last->status)
        grid_add(grid, OUTPUT_DIM, "was %s: status %u", outcome_type_name(last->type), last->status);
    else
        grid_add(grid, OUTPUT_DIM, "was %s", outcome_type_name(last->type));
}

static void print_table(const struct health *health, FILE *to)
{
    static const struct grid_column columns[] = {
        {"SERVICE",    false},
        {"ADDRESS",    false},
        {"STATE",      false},
        {"FOR",        true },
        {"TOOK",       true },
        {"LAST ERROR", false}
    };
    static const unsigned char spare[] = {0, 3, 0, 1, 4, 2};
    char duration[OUTPUT_NUMBER];
    struct grid grid;

    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    grid.most = screen_columns(to == stdout || health->watch ? stdout : to);
    grid.spare = spare;
    for (unsigned i = 0; i < health->count; i++) {
        const struct target *target = &health->targets[i];
        grid_add(&grid, OUTPUT_PLAIN, "%s", target->service->name);
        grid_add(&grid, OUTPUT_PLAIN, "%s", target->address);
        grid_add(&grid, style_of(target->vitals.state), "%s", vitals_state_name(target->vitals.state));
        grid_add(&grid, OUTPUT_PLAIN, "%s", output_duration(for_ms(target) * 1000, duration));
        grid_add(&grid, OUTPUT_PLAIN, "%s", output_duration(target->probe.took_us, duration));
        add_error(&grid, target);
    }
    grid_print(&grid, to);
    grid_clear(&grid);
}

static void write_error(struct json *json, const struct target *target)
{
    bool is_now = target->probe.outcome.type != OUTCOME_SUCCESS;
    const struct outcome *outcome = is_now ? &target->probe.outcome : &target->vitals.last;

    if (outcome->type == OUTCOME_SUCCESS) {
        json_null(json, "last_error");
        return;
    }
    json_object(json, "last_error");
    json_text(json, "type", outcome_type_name(outcome->type));
    json_number(json, "status", outcome->status);
    json_text(json, "text", is_now ? target->probe.text : "");
    json_bool(json, "now", is_now);
    json_end_object(json);
}

static void write_target(struct json *json, const struct target *target)
{
    static const char *const types[] = {"http", "tcp", "tls"};
    char time[OUTPUT_NUMBER];

    json_object(json, NULL);
    json_text(json, "address", target->address);
    json_text(json, "type", types[target->probe.type]);
    json_text(json, "state", vitals_state_name(target->vitals.state));
    json_text(json, "since", output_time_utc(target->vitals.since_unix_ms, time));
    json_number(json, "for_ms", for_ms(target));
    json_ms(json, "took_ms", target->probe.took_us);
    json_number(json, "failures", target->vitals.failures);
    json_number(json, "threshold", target->service->settings->health_failures);
    write_error(json, target);
    json_end_object(json);
}

/* The targets of one service lie side by side. */
static void write_all(const struct health *health)
{
    struct json json = {.to = stdout};
    const struct rules_service *service = NULL;

    json_object(&json, NULL);
    json_array(&json, "services");
    for (unsigned i = 0; i < health->count; i++) {
        if (health->targets[i].service != service) {
            if (service) {
                json_end_array(&json);
                json_end_object(&json);
            }
            service = health->targets[i].service;
            json_object(&json, NULL);
            json_text(&json, "name", service->name);
            json_text(&json, "state", vitals_state_name(state_of(health, service)));
            json_array(&json, "addresses");
        }
        write_target(&json, &health->targets[i]);
    }
    json_end_array(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
    putchar('\n');
}

static int status_of(const struct health *health)
{
    int status = ALL_HEALTHY;

    for (unsigned i = 0; i < health->count; i++) {
        enum vitals_state state = state_of(health, health->targets[i].service);
        if (state == VITALS_UNHEALTHY)
            return SOME_UNHEALTHY;
        if (state != VITALS_HEALTHY)
            status = SOME_DEGRADED;
    }
    return status;
}

/* Returns the exit status, where it is the last that is told. */
static int tell(const struct health *health)
{
    char *page = NULL;
    size_t length;

    if (health->json) {
        write_all(health);
    } else if (!health->watch || !screen_columns(stdout)) {
        print_table(health, stdout);
    } else {
        FILE *to = open_memstream(&page, &length);
        if (!to)
            output_die("out of memory");
        print_table(health, to);
        fclose(to);
        screen_draw(page);
        free(page);
    }
    return fflush(stdout) == 0 ? status_of(health) : TOOL_FAILED;
}

static uint32_t until_next_ms(const struct health *health)
{
    uint64_t now_ms = clock_now_us() / 1000, next_ms = UINT64_MAX;

    for (unsigned i = 0; i < health->count; i++)
        if (health->targets[i].due_ms < next_ms)
            next_ms = health->targets[i].due_ms;
    return next_ms > now_ms ? (uint32_t)(next_ms - now_ms) : 0;
}

static int act(struct health *health)
{
    if (screen_columns(stdout) && !health->json)
        output_fix_color(stdout);
    for (;;) {
        if (check_due(health) < 0)
            return TOOL_FAILED;
        int status = tell(health);
        if (!health->watch || status == TOOL_FAILED)
            return status;
        screen_pause(until_next_ms(health));
    }
}

int tool_health(const struct tool_verb *verb, int argc, char **argv)
{
    struct health health = {.json = false};
    const struct options_entry entries[] = {
        {"watch",  'w', OPTIONS_MAYBE, &health.watch       },
        {"look",   0,   OPTIONS_FLAG,  &health.look        },
        {"config", 0,   OPTIONS_TEXT,  &health.setup.config},
        {"state",  0,   OPTIONS_TEXT,  &health.state_path  },
        {"json",   0,   OPTIONS_FLAG,  &health.json        },
        {NULL,     0,   OPTIONS_FLAG,  NULL                },
    };
    struct options options = {.verb = verb, .most = 1000};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (health.watch && health.watch[0] &&
        (!value_decimal(health.watch, strlen(health.watch), 3, &health.every_ms) || health.every_ms < 100 ||
         health.every_ms > 3600000))
        return options_misused(verb, "--watch takes seconds, from 0.1 to 3600");
    if (open_find(&health.state, health.state_path) < 0 || find_targets(&health, &options) < 0)
        return TOOL_FAILED;
    status = act(&health);
    free(health.targets);
    return status;
}
