/* What another policy would have made of calls that were recorded. */
#include "sim/replay.h"

#include <string.h>

#include "tool/grid.h"
#include "tool/options.h"
#include "tool/progress.h"
#include "tool/setup.h"
#include "tool/sign.h"
#include "tool/timeline.h"
#include "tool/tracefile.h"

struct replay_verb {
    struct setup setup;
    bool json;
    struct trace trace;
    struct replay_outcome outcome;
    struct past_count was; /* in all */
    struct replay_count would;
    struct timeline_run runs[2]; /* recorded, and replayed; results borrowed from outcome */
    struct progress progress;
};

static void sum_up(struct replay_verb *verb)
{
    for (uint32_t i = 0; i < verb->trace.host_count; i++) {
        const struct past_count *was = &verb->outcome.was[i];
        const struct replay_count *would = &verb->outcome.would[i];
        verb->was.calls += was->calls;
        verb->was.attempts += was->attempts;
        verb->was.good += was->good;
        verb->was.refused += was->refused;
        verb->was.hedged += was->hedged;
        verb->would.unmatched += would->unmatched;
        verb->would.attempts += would->attempts;
        verb->would.good += would->good;
        verb->would.refused += would->refused;
        verb->would.hedged += would->hedged;
        verb->would.hedge_won += would->hedge_won;
        verb->would.saved += would->saved;
        verb->would.lost += would->lost;
    }
}

/* ---- for people ---- */

static void add_number(struct grid *grid, enum output_style style, uint64_t number)
{
    grid_add(grid, number ? style : OUTPUT_PLAIN, "%llu", (unsigned long long)number);
}

static void add_change(struct grid *grid, uint64_t before, uint64_t after)
{
    grid_add(grid, OUTPUT_PLAIN, "%llu %s %llu", (unsigned long long)before, sign_of("→"),
             (unsigned long long)after);
}

static void add_host(struct grid *grid, const char *name, const struct past_count *was,
                     const struct replay_count *would)
{
    grid_add(grid, OUTPUT_PLAIN, "%s", name);
    add_number(grid, OUTPUT_PLAIN, was->calls);
    add_change(grid, was->attempts, would->attempts);
    add_change(grid, was->good, would->good);
    add_change(grid, was->refused, would->refused);
    add_number(grid, OUTPUT_GOOD, would->saved);
    add_number(grid, OUTPUT_BAD, would->lost);
}

static void print_hosts(const struct replay_verb *verb, FILE *to)
{
    static const struct grid_column columns[] = {
        {"HOST",     false},
        {"CALLS",    true },
        {"ATTEMPTS", true },
        {"GOOD",     true },
        {"REFUSED",  true },
        {"SAVED",    true },
        {"LOST",     true }
    };
    struct grid grid;
    char host[PLACE_TEXT_MAX];

    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (uint32_t i = 0; i < verb->trace.host_count; i++) {
        place_print(&verb->trace.hosts[i], host);
        add_host(&grid, host, &verb->outcome.was[i], &verb->outcome.would[i]);
    }
    if (verb->trace.host_count > 1)
        add_host(&grid, "total", &verb->was, &verb->would);
    grid_print(&grid, to);
    grid_clear(&grid);
}

static void print_sentence(struct replay_verb *verb, FILE *to)
{
    const struct past_count *was = &verb->was;
    const struct replay_count *would = &verb->would;
    int64_t added = (int64_t)would->attempts - (int64_t)was->attempts;
    char before[OUTPUT_NUMBER], after[OUTPUT_NUMBER];

    fprintf(to, "\nUnder %s%s%s: %llu calls saved, %llu lost, %+lld attempts", output_style(to, OUTPUT_BOLD),
            verb->runs[1].name, output_style(to, OUTPUT_PLAIN), (unsigned long long)would->saved,
            (unsigned long long)would->lost, (long long)added);
    if (was->attempts)
        fprintf(to, " (%+.1f %%)", 100.0 * (double)added / (double)was->attempts);
    fprintf(to, ", %llu calls refused; p99 of a call %s %s %s.\n", (unsigned long long)would->refused,
            output_duration(result_wait_us(&verb->runs[0].result, 0.99), before), sign_of("→"),
            output_duration(result_wait_us(&verb->runs[1].result, 0.99), after));
    if (would->hedged)
        fprintf(to,
                "Of its attempts %llu are second ones side by side (hedge), of which %llu answer first.\n",
                (unsigned long long)would->hedged, (unsigned long long)would->hedge_won);
    if (was->hedged)
        fprintf(to, "Of the recorded attempts %llu were.\n", (unsigned long long)was->hedged);
    if (would->unmatched)
        fprintf(to, "No rule means %llu of the calls: one attempt each, no limits.\n",
                (unsigned long long)would->unmatched);
}

static const char assumptions[] =
    "Assumed: calls begin when they began; a first attempt ends as it did; a later one, or that of a call "
    "that\n"
    "was refused, as one of the host's attempts that lie nearest in time. A limit on an attempt, and the "
    "time\n"
    "until a second one beside it (hedge), count all of it, the body included. What the recorded policy cut\n"
    "short would not have gone on. Bodies can be sent again, and connects may wait. Rules by path or "
    "program\n"
    "are met as by \"/\" and any program.\n";

static void print(struct replay_verb *verb, const char *path, FILE *to)
{
    struct timeline timeline = {.runs = verb->runs, .count = 2};
    char duration[OUTPUT_NUMBER];
    uint64_t us = verb->runs[0].result.slice_us * RESULT_SLICES;

    fprintf(to, "%s: %llu calls in %s, %u host%s\n\n", path, (unsigned long long)verb->was.calls,
            output_duration(us, duration), verb->trace.host_count, verb->trace.host_count == 1 ? "" : "s");
    timeline_print_curves(&timeline, to);
    print_hosts(verb, to);
    print_sentence(verb, to);
    fprintf(to, "%s%s%s", output_style(to, OUTPUT_DIM), assumptions, output_style(to, OUTPUT_PLAIN));
}

/* ---- for programs ---- */

static void write_count(struct json *json, const struct past_count *was, const struct replay_count *would)
{
    const struct {
        const char *key;
        uint64_t number;
    } rows[] = {
        {"calls",         was->calls      },
        {"unmatched",     would->unmatched},
        {"attempts",      was->attempts   },
        {"new_attempts",  would->attempts },
        {"good",          was->good       },
        {"new_good",      would->good     },
        {"refused",       was->refused    },
        {"new_refused",   would->refused  },
        {"hedged",        was->hedged     },
        {"new_hedged",    would->hedged   },
        {"new_hedge_won", would->hedge_won},
        {"saved",         would->saved    },
        {"lost",          would->lost     }
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_number(json, rows[i].key, rows[i].number);
}

static void write(struct replay_verb *verb)
{
    struct json json = {.to = stdout};
    char host[PLACE_TEXT_MAX];

    json_object(&json, NULL);
    json_text(&json, "policy", verb->runs[1].name);
    json_object(&json, "total");
    write_count(&json, &verb->was, &verb->would);
    json_ms(&json, "p50_ms", result_wait_us(&verb->runs[0].result, 0.5));
    json_ms(&json, "new_p50_ms", result_wait_us(&verb->runs[1].result, 0.5));
    json_ms(&json, "p99_ms", result_wait_us(&verb->runs[0].result, 0.99));
    json_ms(&json, "new_p99_ms", result_wait_us(&verb->runs[1].result, 0.99));
    json_end_object(&json);
    json_array(&json, "hosts");
    for (uint32_t i = 0; i < verb->trace.host_count; i++) {
        place_print(&verb->trace.hosts[i], host);
        json_object(&json, NULL);
        json_text(&json, "host", host);
        write_count(&json, &verb->outcome.was[i], &verb->outcome.would[i]);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    putchar('\n');
}

/* ---- the verb ---- */

static const struct rules *rules_of(const struct setup *setup)
{
    const struct rules *rules = NULL;

    if (setup_apply(setup) < 0 || setup_rules(setup, &rules) < 0)
        return NULL;
    if (!rules && (setup_assume() < 0 || setup_rules(setup, &rules) < 0))
        return NULL;
    return rules;
}

static void tell(void *who, uint64_t done_us, uint64_t all_us)
{
    struct replay_verb *verb = who;

    progress_tell(&verb->progress, "replaying: %u %%",
                  done_us < all_us ? (unsigned)(100 * done_us / all_us) : 100);
}

static int replay(struct replay_verb *verb, const char *path)
{
    const struct rules *rules = rules_of(&verb->setup);
    const struct watch watch = {tell, verb};

    progress_begin(&verb->progress, !verb->json);
    if (!rules || tracefile_read(&verb->trace, path) < 0)
        return TOOL_FAULTS;
    trace_order(&verb->trace);
    int error = replay_run(&verb->trace, rules, &watch, &verb->outcome);
    progress_erase(&verb->progress);
    if (error < 0) {
        output_error("replay: %s", strerror(-error));
        return TOOL_FAULTS;
    }
    sum_up(verb);
    snprintf(verb->runs[0].name, sizeof verb->runs[0].name, "recorded");
    snprintf(verb->runs[1].name, sizeof verb->runs[1].name, "%s",
             verb->setup.policy ? verb->setup.policy : "these rules");
    output_clean(verb->runs[1].name);
    verb->runs[0].result = verb->outcome.before;
    verb->runs[1].result = verb->outcome.after;
    verb->runs[1].has_circuit = verb->trace.host_count == 1;
    if (verb->json)
        write(verb);
    else
        print(verb, path, stdout);
    return TOOL_FINE;
}

int tool_replay(const struct tool_verb *verb, int argc, char **argv)
{
    struct replay_verb work = {.json = false};
    const struct options_entry entries[] = {
        {"config", 0, OPTIONS_TEXT, &work.setup.config},
        {"policy", 0, OPTIONS_TEXT, &work.setup.policy},
        {"set",    0, OPTIONS_EACH, &work.setup.sets  },
        {"json",   0, OPTIONS_FLAG, &work.json        },
        {NULL,     0, OPTIONS_FLAG, NULL              },
    };
    struct options options = {.verb = verb, .most = 1};
    int status = options_read(&options, entries, argc, argv);

    if (status == OPTIONS_GO && options.count == 0)
        return options_misused(verb, "which record? `gusset run --record FILE -- COMMAND` makes one");
    if (status == OPTIONS_GO)
        status = replay(&work, options.operands[0]);
    replay_clear(&work.outcome);
    tracefile_clear(&work.trace);
    return status;
}
