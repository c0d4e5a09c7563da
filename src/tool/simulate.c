/* Tries policies in a scenario, on a virtual clock: the gate that programs run under, in memory of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "core/method.h"
#include "sim/engine.h"
#include "sim/run.h"
#include "tool/address.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/picture.h"
#include "tool/progress.h"
#include "tool/setup.h"
#include "tool/timeline.h"

enum { RUNS_MOST = 5, CALLS_MOST = 2000000 };

struct simulate {
    struct setup setup;
    struct options_list policies;
    const char *scenario_name, *svg, *method;
    const char *clients, *rate, *duration, *from, *lasts, *latency, *workers, *backlog, *failing, *slow,
        *seed;
    bool json, deaf;
    struct address address;
    struct rules_query query;
    struct scenario scenario;
    struct timeline_run runs[RUNS_MOST];
    struct timeline timeline;
    struct progress progress;
};

/* ---- what is asked for ---- */

static int name_scenarios(const struct tool_verb *verb, const char *before)
{
    char names[128] = "";

    for (unsigned i = 0; scenario_name(i); i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                 scenario_name(i));
    return options_misused(verb, "%s --scenario %s", before, names);
}

static bool read_time(const char *text, uint64_t least_ms, uint64_t *us)
{
    uint64_t ms;

    if (!text)
        return true;
    if (!value_duration(text, strlen(text), &ms) || ms < least_ms || ms > 7 * 86400000u)
        return false;
    *us = ms * 1000;
    return true;
}

static bool read_count(const char *text, uint32_t *count)
{
    return !text || (options_number(text, SCENARIO_WORKERS_MOST, count) && *count > 0);
}

/* A decimal above zero. */
static bool read_decimal(const char *text, double most, double *number)
{
    char *end;

    if (!text)
        return true;
    *number = strtod(text, &end);
    return *end == '\0' && end != text && *number > 0 && *number <= most;
}

static bool read_percentage(const char *text, double *share)
{
    double percent;

    if (!text)
        return true;
    if (!read_decimal(text, 100, &percent))
        return false;
    *share = percent / 100;
    return true;
}

/* Who calls, how often and for how long. */
static int read_run(struct simulate *simulate, const struct tool_verb *verb)
{
    struct scenario *scenario = &simulate->scenario;
    uint32_t seed = 1;

    if (!read_count(simulate->clients, &scenario->clients))
        return options_misused(verb, "--clients takes a whole number from 1 to 1000000");
    scenario->rate = scenario->clients; /* each calls once a second */
    if (!read_decimal(simulate->rate, 1e6, &scenario->rate))
        return options_misused(verb,
                               "--rate takes calls a second of all clients together, such as 20 or 0.5");
    if (!read_time(simulate->duration, 1, &scenario->duration_us) ||
        !read_time(simulate->latency, 1, &scenario->latency_us) ||
        !read_time(simulate->from, 0, &scenario->from_us) ||
        !read_time(simulate->lasts, 1, &scenario->lasts_us))
        return options_misused(verb, "--duration, --latency, --from and --for take a duration such as 50ms, "
                                     "90s or 1h, up to 168h");
    if (simulate->seed && !options_number(simulate->seed, UINT32_MAX, &seed))
        return options_misused(verb, "--seed takes a whole number");
    scenario->has_from = simulate->from;
    scenario->seed = seed;
    if (scenario->rate * scenario->crowd * (double)scenario->duration_us / 1e6 > CALLS_MOST)
        return options_misused(verb, "these are more than %d calls; take fewer, or a shorter time",
                               CALLS_MOST);
    return OPTIONS_GO;
}

/* What it does with them. */
static int read_server(struct simulate *simulate, const struct tool_verb *verb)
{
    struct scenario *scenario = &simulate->scenario;

    if (!read_count(simulate->workers, &scenario->workers) ||
        !read_count(simulate->backlog, &scenario->backlog))
        return options_misused(verb, "--workers and --backlog take whole numbers from 1 to 1000000");
    if (!read_percentage(simulate->failing, &scenario->failing) || (simulate->failing && scenario->refuses))
        return options_misused(
            verb, "--failing takes a percentage of the answers; in an outage there are none, see brownout");
    if (!read_percentage(simulate->slow, &scenario->slow) || (simulate->slow && scenario->slowness == 1))
        return options_misused(
            verb,
            "--slow takes a percentage of the answers, where some are slow: in tail, slow and brownout");
    scenario->deaf = simulate->deaf;
    return OPTIONS_GO;
}

static int read_scenario(struct simulate *simulate, const struct tool_verb *verb)
{
    struct scenario *scenario = &simulate->scenario;

    if (!simulate->scenario_name)
        return name_scenarios(verb, "what is to happen? Say one of");
    if (!scenario_find(simulate->scenario_name, scenario))
        return name_scenarios(verb, "there is no such scenario; one of");
    int status = read_run(simulate, verb);
    if (status == OPTIONS_GO)
        status = read_server(simulate, verb);
    if (status != OPTIONS_GO)
        return status;
    scenario_complete(scenario);
    if (scenario->from_us >= scenario->duration_us)
        return options_misused(verb, "the trouble begins after the end; --from is to be below --duration");
    return OPTIONS_GO;
}

static int read_target(struct simulate *simulate, const struct tool_verb *verb, const struct options *options)
{
    const char *text = options->count ? options->operands[0] : "http://service.example/";
    const char *fault = address_parse(&simulate->address, text);
    const char *method = simulate->method ? simulate->method : "GET";

    if (fault)
        return options_misused(verb, "%s", fault);
    if (!simulate->address.place.port && simulate->address.place.family != PLACE_UNIX)
        simulate->address.place.port = 80;
    simulate->query = (struct rules_query){.place = &simulate->address.place};
    if (simulate->address.is_url) {
        simulate->query.method = method_from_name(method, strlen(method));
        simulate->query.path = simulate->address.path;
        simulate->query.path_length = simulate->address.path_length;
    }
    return OPTIONS_GO;
}

static int read_options(struct simulate *simulate, const struct tool_verb *verb, int argc, char **argv)
{
    const struct options_entry entries[] = {
        {"scenario", 's', OPTIONS_TEXT, &simulate->scenario_name},
        {"config",   0,   OPTIONS_TEXT, &simulate->setup.config },
        {"policy",   0,   OPTIONS_EACH, &simulate->policies     },
        {"set",      0,   OPTIONS_EACH, &simulate->setup.sets   },
        {"method",   0,   OPTIONS_TEXT, &simulate->method       },
        {"clients",  0,   OPTIONS_TEXT, &simulate->clients      },
        {"rate",     0,   OPTIONS_TEXT, &simulate->rate         },
        {"duration", 0,   OPTIONS_TEXT, &simulate->duration     },
        {"from",     0,   OPTIONS_TEXT, &simulate->from         },
        {"for",      0,   OPTIONS_TEXT, &simulate->lasts        },
        {"failing",  0,   OPTIONS_TEXT, &simulate->failing      },
        {"latency",  0,   OPTIONS_TEXT, &simulate->latency      },
        {"workers",  0,   OPTIONS_TEXT, &simulate->workers      },
        {"backlog",  0,   OPTIONS_TEXT, &simulate->backlog      },
        {"slow",     0,   OPTIONS_TEXT, &simulate->slow         },
        {"deaf",     0,   OPTIONS_FLAG, &simulate->deaf         },
        {"seed",     0,   OPTIONS_TEXT, &simulate->seed         },
        {"svg",      0,   OPTIONS_TEXT, &simulate->svg          },
        {"json",     0,   OPTIONS_FLAG, &simulate->json         },
        {NULL,       0,   OPTIONS_FLAG, NULL                    },
    };
    struct options options = {.verb = verb, .most = 1};
    int status = options_read(&options, entries, argc, argv);

    if (status == OPTIONS_GO && simulate->policies.count >= RUNS_MOST)
        return options_misused(verb, "at most %d policies stand side by side", RUNS_MOST - 1);
    if (status == OPTIONS_GO)
        status = read_scenario(simulate, verb);
    return status == OPTIONS_GO ? read_target(simulate, verb, &options) : status;
}

/* ---- what comes of it ---- */

/* The rules of one run; the policy NULL: as configured, or standard where nothing is. */
static const struct rules *rules_of(struct simulate *simulate, const char *policy)
{
    const struct rules *rules = NULL;

    simulate->setup.policy = policy;
    if (setup_apply(&simulate->setup) < 0 || setup_rules(&simulate->setup, &rules) < 0)
        return NULL;
    simulate->setup.sets.count = 0; /* they are in the environment now */
    if (!rules && (setup_assume() < 0 || setup_rules(&simulate->setup, &rules) < 0))
        return NULL;
    return rules;
}

static void tell(void *who, uint64_t done_us, uint64_t all_us)
{
    struct simulate *simulate = who;
    unsigned runs = 1 + (simulate->policies.count ? simulate->policies.count : 1);

    progress_tell(&simulate->progress, "simulating %s, run %u of %u: %u %%",
                  simulate->runs[simulate->timeline.count].name, simulate->timeline.count + 1, runs,
                  done_us < all_us ? (unsigned)(100 * done_us / all_us) : 100);
}

static int play(struct simulate *simulate, const struct rules *rules)
{
    struct timeline_run *run = &simulate->runs[simulate->timeline.count];
    const struct watch watch = {tell, simulate};
    int error = run_scenario(&simulate->scenario, rules, &simulate->query, &watch, &run->result);

    progress_erase(&simulate->progress);
    simulate->timeline.count++;
    return error;
}

static int add_run(struct simulate *simulate, const char *policy)
{
    struct timeline_run *run = &simulate->runs[simulate->timeline.count];
    const struct rules *rules = rules_of(simulate, policy);
    struct rules_match match;

    if (!rules)
        return -1;
    if (!engine_finds(rules, &simulate->query, simulate->scenario.seed, &match)) {
        output_error(
            "simulate: no rule matches the place; name another (simulate URL), or a policy (--policy)");
        return -1;
    }
    snprintf(run->name, sizeof run->name, "%s", match.policy->name);
    output_clean(run->name);
    run->has_circuit = true;
    int error = play(simulate, rules);
    if (error < 0)
        output_error("simulate: %s", strerror(-error));
    return error < 0 ? -1 : 0;
}

static int add_runs(struct simulate *simulate)
{
    snprintf(simulate->runs[0].name, sizeof simulate->runs[0].name, "bare");
    if (play(simulate, NULL) < 0)
        output_die("out of memory");
    if (simulate->policies.count == 0)
        return add_run(simulate, NULL);
    for (unsigned i = 0; i < simulate->policies.count; i++)
        if (add_run(simulate, simulate->policies.items[i]) < 0)
            return -1;
    return 0;
}

static int show(struct simulate *simulate)
{
    struct json json = {.to = stdout};

    if (simulate->svg && picture_save(&simulate->timeline, simulate->svg) < 0)
        return TOOL_FAULTS;
    if (simulate->json) {
        json_object(&json, NULL);
        timeline_write(&simulate->timeline, &json);
        json_end_object(&json);
        putchar('\n');
    } else {
        timeline_print(&simulate->timeline, stdout);
    }
    return TOOL_FINE;
}

int tool_simulate(const struct tool_verb *verb, int argc, char **argv)
{
    struct simulate simulate = {.json = false};
    int status = read_options(&simulate, verb, argc, argv);

    simulate.timeline = (struct timeline){.scenario = &simulate.scenario, .runs = simulate.runs};
    if (status == OPTIONS_GO) {
        progress_begin(&simulate.progress, !simulate.json);
        status = add_runs(&simulate) < 0 ? TOOL_FAULTS : show(&simulate);
    }
    for (unsigned i = 0; i < simulate.timeline.count; i++)
        result_clear(&simulate.runs[i].result);
    free(simulate.policies.items);
    free(simulate.setup.sets.items);
    return status;
}
