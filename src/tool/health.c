/* Checks of the services' health, once or again and again: what is well, since when, and what went wrong
 * last. */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "sys/clock.h"
#include "tool/grid.h"
#include "tool/json.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/screen.h"
#include "tool/style.h"
#include "tool/ward.h"

/* Exit statuses, besides that of gusset's own failure. */
enum { ALL_HEALTHY = 0, SOME_DEGRADED = 1, SOME_UNHEALTHY = 2 };

struct health {
    const char *state_path, *watch;
    bool json;
    struct setup setup;
    struct ward ward;
};

/* ---- telling ---- */

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
    for (unsigned i = 0; i < health->ward.count; i++) {
        const struct target *target = &health->ward.targets[i];
        grid_add(&grid, OUTPUT_PLAIN, "%s", target->service->name);
        grid_add(&grid, OUTPUT_PLAIN, "%s", target->address);
        grid_add(&grid, style_health(target->vitals.state), "%s", vitals_state_name(target->vitals.state));
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
    if (target->vitals.since_unix_ms)
        json_text(json, "since", output_time_utc(target->vitals.since_unix_ms, time));
    else
        json_null(json, "since"); /* UNKNOWN: no check has told anything yet */
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
    for (unsigned i = 0; i < health->ward.count; i++) {
        if (health->ward.targets[i].service != service) {
            if (service) {
                json_end_array(&json);
                json_end_object(&json);
            }
            service = health->ward.targets[i].service;
            json_object(&json, NULL);
            json_text(&json, "name", service->name);
            json_text(&json, "state", vitals_state_name(ward_state(&health->ward, service)));
            json_array(&json, "addresses");
        }
        write_target(&json, &health->ward.targets[i]);
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

    for (unsigned i = 0; i < health->ward.count; i++) {
        enum vitals_state state = ward_state(&health->ward, health->ward.targets[i].service);
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

static int act(struct health *health)
{
    if (screen_columns(stdout) && !health->json)
        output_fix_color(stdout);
    for (;;) {
        if (ward_check(&health->ward) < 0)
            return TOOL_FAILED;
        int status = tell(health);
        if (!health->watch || status == TOOL_FAILED)
            return status;
        screen_pause(ward_until_next_ms(&health->ward));
    }
}

int tool_health(const struct tool_verb *verb, int argc, char **argv)
{
    struct health health = {.json = false};
    const struct options_entry entries[] = {
        {"watch",  'w', OPTIONS_MAYBE, &health.watch       },
        {"look",   0,   OPTIONS_FLAG,  &health.ward.look   },
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
        (!value_decimal(health.watch, strlen(health.watch), 3, &health.ward.every_ms) ||
         health.ward.every_ms < 100 || health.ward.every_ms > 3600000))
        return options_misused(verb, "--watch takes seconds, from 0.1 to 3600");
    if (open_find(&health.ward.state, health.state_path) < 0 ||
        ward_find(&health.ward, &health.setup, &options) < 0)
        return TOOL_FAILED;
    health.ward.is_slow_told = !health.json && !health.watch;
    status = act(&health);
    ward_clear(&health.ward);
    return status;
}
