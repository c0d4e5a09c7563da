#include "tool/meter.h"

#include <math.h>
#include <string.h>

#include "core/breaker.h"
#include "core/outcome.h"
#include "core/retry.h"
#include "report/histogram.h"
#include "tool/vitals.h"

enum { NAME = 64 };

/* OpenTelemetry's buckets of http.client.request.duration, in seconds. */
static const struct {
    const char *text;
    uint64_t us;
} bounds[] = {
    {"0.005", 5000    },
    {"0.01",  10000   },
    {"0.025", 25000   },
    {"0.05",  50000   },
    {"0.075", 75000   },
    {"0.1",   100000  },
    {"0.25",  250000  },
    {"0.5",   500000  },
    {"0.75",  750000  },
    {"1",     1000000 },
    {"2.5",   2500000 },
    {"5",     5000000 },
    {"7.5",   7500000 },
    {"10",    10000000}
};

/* The state's counters by their names there; what is not named here is exported all the same. */
static const struct {
    const char *name, *help;
} counted[LAYOUT_COUNTERS_ROOM] = {
    [LAYOUT_COUNT_calls] = {"calls",            "Calls of programs that a rule judged"                           },
    [LAYOUT_COUNT_attempts] = {"attempts",         "Attempts made for these calls"                                  },
    [LAYOUT_COUNT_retries] = {"retries",          "Attempts beyond a call's first (resends)"                       },
    [LAYOUT_COUNT_failures] = {"attempt_failures", "Attempts that failed, by breaker.on"                            },
    [LAYOUT_COUNT_rescued] = {"rescued",          "Calls that ended well after a retry"                            },
    [LAYOUT_COUNT_failed] = {"failed",
                            "Calls without a reply, with a failure as breaker.on has it, or refused"             },
    [LAYOUT_COUNT_rejected] = {"rejected",         "Calls refused because the circuit was open"                     },
    [LAYOUT_COUNT_limited] = {"limited",          "Calls refused by the rate limit"                                },
    [LAYOUT_COUNT_exhausted] = {"exhausted",        "Calls that had no tries left"                                   },
    [LAYOUT_COUNT_unfunded] = {"unfunded",         "Calls not retried because the retry budget was spent"           },
    [LAYOUT_COUNT_opened] = {"circuit_opened",   "Times that the circuit opened"                                  },
    [LAYOUT_COUNT_would_reject] = {"would_reject",     "Shadow: calls that would have been refused"                     },
    [LAYOUT_COUNT_would_retry] = {"would_retry",      "Shadow: outcomes that would have been tried again"              },
    [LAYOUT_COUNT_nested] = {"nested",           "Calls that the program itself made again after they had failed" },
    [LAYOUT_COUNT_crowded] = {"crowded",          "Calls refused because the bulkhead was full"                    },
    [LAYOUT_COUNT_offline] = {"offline",
                            "Failures not held against the host: the machine had lost its network"               },
    [LAYOUT_COUNT_waited] = {"waited",           "Calls kept waiting for a token, a place or a circuit"           },
    [LAYOUT_COUNT_fallback] = {"fallback",
                            "Calls that were given the rule's fallback instead of their failure"                 },
    [LAYOUT_COUNT_stale] = {"stale",            "Calls that were given an earlier reply instead of their failure"},
    [LAYOUT_COUNT_resumed] = {"resumed",          "Attempts that went on with a body that had broken off"          },
    [LAYOUT_COUNT_faults] = {"rehearsed_faults", "Attempts that a rehearsed fault struck"                         },
    [LAYOUT_COUNT_would_fall_back] = {"would_fall_back",
                            "Shadow: calls that would have been given the fallback"                              },
    [LAYOUT_COUNT_hedged] = {"hedged",           "Calls that were made a second time side by side"                },
    [LAYOUT_COUNT_hedge_won] = {"hedge_won",        "Calls that such a second attempt answered first"                },
    [LAYOUT_COUNT_would_hedge] = {"would_hedge",      "Shadow: calls that would have been made a second time"          },
    [LAYOUT_COUNT_late] = {"late",             "Calls refused because the deadline of their run had passed"     },
};

const char *meter_counter_name(enum layout_counter counter)
{
    static const char *const names[] = {
#define X(name) #name,
        LAYOUT_COUNTERS(X)
#undef X
    };
    return counted[counter].name ? counted[counter].name : names[counter];
}

static struct exposition_labels labels_of(const struct snapshot *host)
{
    return (struct exposition_labels){
        {{"host", host->host},
         {"policy", host->policy[0] ? host->policy : "all"}, /* one circuit for all policies of the host */
         {"mode", host->is_shadow ? "shadow" : "enforce"}}
    };
}

/* The labels of the host and one more. */
static struct exposition_labels labels_with(const struct snapshot *host, const char *name, const char *value)
{
    struct exposition_labels labels = labels_of(host);
    labels.each[3] = (struct exposition_label){name, value};
    return labels;
}

/* ---- of a host ---- */

static void write_counters(struct exposition *out, const struct snapshot_list *hosts)
{
    char name[NAME];

    for (unsigned c = 0; c < LAYOUT_COUNTERS_USED; c++) {
        snprintf(name, sizeof name, "gusset_%s_total", meter_counter_name((enum layout_counter)c));
        exposition_family(out, name, "counter",
                          counted[c].help ? counted[c].help : "Counted as in `gusset status --json`");
        for (unsigned i = 0; i < hosts->count; i++) {
            const struct exposition_labels labels = labels_of(&hosts->items[i]);
            exposition_sample(out, "", &labels, (double)hosts->items[i].counters[c]);
        }
        exposition_family_end(out);
    }
}

static void write_errors(struct exposition *out, const struct snapshot_list *hosts)
{
    exposition_family(out, "gusset_errors_total", "counter",
                      "Attempts that ended in an error, and calls that were refused, by error type");
    for (unsigned i = 0; i < hosts->count; i++)
        for (unsigned type = 1; type < OUTCOME_TYPES; type++) {
            const struct snapshot *host = &hosts->items[i];
            if (host->errors[type - 1] == 0)
                continue;
            const struct exposition_labels labels = labels_with(host, "error_type", outcome_type_name(type));
            exposition_sample(out, "", &labels, host->errors[type - 1]);
        }
    exposition_family_end(out);
}

static void write_histogram(struct exposition *out, const struct snapshot *host)
{
    const uint64_t all = histogram_within(host->latency, UINT64_MAX);

    for (unsigned b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        const struct exposition_labels labels = labels_with(host, "le", bounds[b].text);
        exposition_sample(out, "_bucket", &labels, (double)histogram_within(host->latency, bounds[b].us));
    }
    const struct exposition_labels last = labels_with(host, "le", "+Inf"), labels = labels_of(host);
    exposition_sample(out, "_bucket", &last, (double)all);
    exposition_sample(out, "_sum", &labels, (double)histogram_sum_us(host->latency) / 1e6);
    exposition_sample(out, "_count", &labels, (double)all);
}

static void write_durations(struct exposition *out, const struct snapshot_list *hosts)
{
    exposition_family(out, "gusset_call_duration_seconds", "histogram",
                      "How long whole calls took, attempts and waits included; "
                      "interpolated from buckets of a quarter octave");
    for (unsigned i = 0; i < hosts->count; i++)
        write_histogram(out, &hosts->items[i]);
    exposition_family_end(out);
}

static void write_circuits(struct exposition *out, const struct snapshot_list *hosts)
{
    static const enum breaker_state states[] = {BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN};

    exposition_family(out, "gusset_circuit_state", "gauge", "1 for the state that the circuit is in");
    for (unsigned i = 0; i < hosts->count; i++)
        for (unsigned s = 0; s < sizeof states / sizeof *states; s++) {
            const struct exposition_labels labels =
                labels_with(&hosts->items[i], "state", breaker_state_name(states[s]));
            exposition_sample(out, "", &labels, breaker_state(hosts->items[i].circuit) == states[s]);
        }
    exposition_family_end(out);
}

/* A gauge of each host. */
struct gauge {
    const char *name, *help;
    bool (*of)(struct reading *reading, const struct snapshot *host, double *value); /* false: has none */
};

static bool probe_in(struct reading *reading, const struct snapshot *host, double *value)
{
    uint64_t ms = breaker_remaining_ms(host->circuit, reading->now_us / 1000);

    *value = breaker_state(host->circuit) != BREAKER_OPEN ? 0
             : ms == UINT64_MAX                           ? INFINITY
                                                          : (double)ms / 1e3;
    return true;
}

static bool failures_in_a_row(struct reading *reading, const struct snapshot *host, double *value)
{
    (void)reading;
    *value = breaker_failures(host->circuit);
    return true;
}

static struct window_sum budget(struct reading *reading, const struct snapshot *host)
{
    return snapshot_window(host->budget, RETRY_BUDGET_WINDOW_MS, reading->now_us / 1000);
}

static bool budget_calls(struct reading *reading, const struct snapshot *host, double *value)
{
    *value = budget(reading, host).all;
    return true;
}

static bool budget_retries(struct reading *reading, const struct snapshot *host, double *value)
{
    *value = budget(reading, host).marked;
    return true;
}

static bool tokens_left(struct reading *reading, const struct snapshot *host, double *value)
{
    struct tokens tokens = reading_tokens(reading, host);
    uint32_t least;

    if (tokens_least(&tokens, &least) == 0)
        return false;
    *value = least;
    return true;
}

static bool in_flight(struct reading *reading, const struct snapshot *host, double *value)
{
    *value = host->in_flight;
    return reading_bulkhead(reading, host) != 0;
}

static bool in_flight_most(struct reading *reading, const struct snapshot *host, double *value)
{
    *value = reading_bulkhead(reading, host);
    return *value != 0;
}

static const struct gauge gauges[] = {
    {"gusset_circuit_probe_in_seconds", "Time until an open circuit lets a call through; +Inf: not by itself",
     probe_in                                                                                                                       },
    {"gusset_circuit_failures",         "Attempts that failed in a row",                                           failures_in_a_row},
    {"gusset_retry_budget_calls",       "Calls of the last 10 s, which pay for retries",                           budget_calls     },
    {"gusset_retry_budget_retries",     "Retries of the last 10 s",                                                budget_retries   },
    {"gusset_limit_tokens",             "Calls that the rate limit would let through now, of its emptiest bucket",
     tokens_left                                                                                                                    },
    {"gusset_bulkhead_calls",           "Calls in flight, of all processes",                                       in_flight        },
    {"gusset_bulkhead_limit",           "The most calls that the bulkhead lets be in flight",                      in_flight_most   },
};

static void write_gauges(struct exposition *out, struct reading *reading)
{
    double value;

    for (unsigned g = 0; g < sizeof gauges / sizeof *gauges; g++) {
        exposition_family(out, gauges[g].name, "gauge", gauges[g].help);
        for (unsigned i = 0; i < reading->hosts.count; i++) {
            const struct snapshot *host = &reading->hosts.items[i];
            const struct exposition_labels labels = labels_of(host);
            if (gauges[g].of(reading, host, &value))
                exposition_sample(out, "", &labels, value);
        }
        exposition_family_end(out);
    }
}

/* ---- of services ---- */

/* A family of what health checks remember; of states, a sample each. */
static void write_checked(struct exposition *out, const struct snapshot_list *buckets, bool is_state)
{
    static const enum vitals_state states[] = {VITALS_HEALTHY, VITALS_DEGRADED, VITALS_UNHEALTHY};
    struct vitals vitals;

    for (unsigned i = 0; i < buckets->count; i++) {
        if (!vitals_of(&buckets->items[i], &vitals))
            continue;
        struct exposition_labels labels = {
            {{"service", buckets->items[i].policy + 1}, {"address", buckets->items[i].host}}
        };
        if (!is_state)
            exposition_sample(out, "", &labels, vitals.failures);
        for (unsigned s = 0; is_state && s < sizeof states / sizeof *states; s++) {
            labels.each[2] = (struct exposition_label){"state", vitals_state_name(states[s])};
            exposition_sample(out, "", &labels, vitals.state == states[s]);
        }
    }
}

static void write_health(struct exposition *out, const struct snapshot_list *buckets)
{
    exposition_family(out, "gusset_service_health", "gauge",
                      "1 for the state that the last check by `gusset health` left an address in");
    write_checked(out, buckets, true);
    exposition_family_end(out);
    exposition_family(out, "gusset_service_health_failures", "gauge",
                      "Checks of an address that failed in a row");
    write_checked(out, buckets, false);
    exposition_family_end(out);
}

/* ---- of the state ---- */

static void write_one(struct exposition *out, const char *name, const char *type, const char *help,
                      double value)
{
    const struct exposition_labels none = {0};

    exposition_family(out, name, type, help);
    exposition_sample(out, "", &none, value);
    exposition_family_end(out);
}

static void write_mode(struct exposition *out, const struct reading *reading)
{
    static const char *const modes[] = {"as configured", "enforce", "shadow", "off"};

    exposition_family(out, "gusset_mode", "gauge",
                      "1 for what `gusset mode`, `on` and `off` have switched to");
    for (unsigned m = 0; m < sizeof modes / sizeof *modes; m++) {
        const struct exposition_labels labels = {{{"mode", modes[m]}}};
        exposition_sample(out, "", &labels, strcmp(modes[m], reading_mode(reading)) == 0);
    }
    exposition_family_end(out);
}

static void write_version(struct exposition *out)
{
    const struct exposition_labels labels = {{{"version", GUSSET_VERSION}}};

    exposition_family(out, "gusset_build_info", "gauge", "1, with the version");
    exposition_sample(out, "", &labels, 1);
    exposition_family_end(out);
}

void meter_write(struct exposition *out, struct reading *reading)
{
    write_version(out);
    write_one(out, "gusset_state_exists", "gauge",
              "1 when there is a state file; without one nothing was judged yet", reading->exists);
    if (!reading->exists)
        return;
    write_one(out, "gusset_state_bytes", "gauge", "Size of the state file", (double)reading->state.map.size);
    write_one(out, "gusset_state_slots", "gauge", "Hosts that the state file has room for",
              reading->state.map.host_count);
    write_one(out, "gusset_state_slots_used", "gauge",
              "Slots in use, shadow's and rate limits' of their own included",
              reading->hosts.count + reading->buckets.count);
    write_one(out, "gusset_unprotected_total", "counter",
              "Connects to an internet address that no rule meant", (double)reading_unprotected(reading));
    write_mode(out, reading);
    write_counters(out, &reading->hosts);
    write_errors(out, &reading->hosts);
    write_durations(out, &reading->hosts);
    write_circuits(out, &reading->hosts);
    write_gauges(out, reading);
    write_health(out, &reading->buckets);
}
