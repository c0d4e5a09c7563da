/* Opens circuits by hand; where the host is not known yet, its place in the state is made first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/explain.h"
#include "config/preset.h"
#include "config/rules.h"
#include "config/value.h"
#include "core/breaker.h"
#include "core/method.h"
#include "state/slots.h"
#include "sys/clock.h"
#include "tool/circuit.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/setup.h"

struct trip {
    const char *state_path, *policy, *duration;
    uint32_t open_ms; /* 0: until it is reset */
    struct address address;
    struct open_state state;
};

static void make_slot(struct trip *trip, const char *policy)
{
    char host[PLACE_TEXT_MAX];
    size_t length = place_print(&trip->address.place, host);

    slots_take(&trip->state.map, host, length, policy, strlen(policy), clock_now_us() / 1000);
}

/* Where nothing is refused a circuit would only look open. */
static void complain_of_mode(const struct rules_query *query, enum policy_mode mode)
{
    const struct setup setup = {.config = NULL};
    struct explain_candidate candidate = {.verdict = EXPLAIN_OTHER_PORT};
    struct model model;
    char origin[EXPLAIN_TEXT_MOST] = "of this place";

    setup_model_or_empty(&setup, &model);
    for (uint32_t at = 0; explain_next(&model, query, NULL, &at, &candidate);)
        if (candidate.verdict == EXPLAIN_MATCHES) {
            snprintf(origin, sizeof origin, "at ");
            explain_origin(&model, &candidate.rule->origin, origin + 3, sizeof origin - 3);
            break;
        }
    model_clear(&model);
    output_error("trip: the rule %s is %s: nothing is refused", output_clean(origin),
                 mode == POLICY_SHADOW ? "in shadow" : "off");
}

/*
 * The memory that the rules give to the place: as a GET, and as a bare connect. A host's own circuit has
 * no policy. Returns 0, or -1 after a complaint where rules are there but none that refuses.
 */
static int make_slots_by_rules(struct trip *trip, const struct rules *rules)
{
    const char *path = trip->address.is_url ? trip->address.path : "/";
    const struct rules_query queries[] = {
        {.place = &trip->address.place, .method = METHOD_GET, .path = path, .path_length = strlen(path)},
        {.place = &trip->address.place                },
    };
    struct rules_match match;
    const struct rules_query *idle = NULL;
    enum policy_mode mode = POLICY_ENFORCE;
    bool refuses = false;

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        if (!rules_find(rules, &queries[i], &match) || !(match.policy->settings->groups & POLICY_BREAKER))
            continue;
        if (match.mode != POLICY_ENFORCE) {
            idle = &queries[i];
            mode = match.mode;
            continue;
        }
        refuses = true;
        bool by_host = match.policy->settings->breaker.scope == POLICY_SCOPE_HOST;
        make_slot(trip, by_host ? "" : match.policy->name);
    }
    if (refuses || !idle)
        return 0;
    complain_of_mode(idle, mode);
    return -1;
}

/* A slip must not look like success: no program would ask for the circuit of a policy that is not there. */
static bool is_known(const char *policy)
{
    const struct setup setup = {.config = NULL};
    struct model model;

    setup_model_or_empty(&setup, &model);
    bool result = model_find_policy(&model, policy) != (uint32_t)MODEL_NONE ||
                  preset_add(&model, policy) != (uint32_t)MODEL_NONE;
    model_clear(&model);
    return result;
}

static bool has_port(const struct trip *trip)
{
    return trip->address.place.family == PLACE_UNIX || trip->address.place.port != 0;
}

static int make_slots(struct trip *trip)
{
    const struct setup setup = {.config = NULL};
    const struct rules *rules = NULL;

    if (!has_port(trip))
        return 0; /* the known ports are meant */
    if (trip->policy) {
        if (is_known(trip->policy))
            make_slot(trip, trip->policy);
        return 0; /* a policy of another configuration may have a slot nevertheless */
    }
    if (setup_rules(&setup, &rules) < 0)
        return -1;
    if (!rules && (setup_assume() < 0 || setup_rules(&setup, &rules) < 0))
        return -1; /* no configuration: standard, as `gusset run` takes it */
    return rules ? make_slots_by_rules(trip, rules) : 0;
}

/* Shadow refuses nobody, so its circuits are left to themselves. */
static unsigned open_all(struct trip *trip, const struct snapshot_list *list)
{
    uint64_t word = breaker_forced_open(clock_now_us() / 1000, trip->open_ms);
    char duration[OUTPUT_NUMBER];
    unsigned count = 0;

    for (unsigned i = 0; i < list->count; i++) {
        struct snapshot *host = &list->items[i];
        if (host->is_shadow)
            continue;
        circuit_set(&trip->state.map, host, word, EVENTS_TRIPPED, trip->open_ms);
        output_clean(host->host);
        if (trip->open_ms)
            printf("%s, policy %s: open for %s\n", host->host, snapshot_policy(host),
                   output_duration((uint64_t)trip->open_ms * 1000, duration));
        else
            printf("%s, policy %s: open until `gusset reset %s`\n", host->host, snapshot_policy(host),
                   host->host);
        count++;
    }
    return count;
}

static int trip_circuits(struct trip *trip)
{
    struct snapshot_list list;
    int error = has_port(trip) ? open_or_create(&trip->state) : open_existing(&trip->state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (make_slots(trip) < 0) {
        map_close(&trip->state.map);
        return TOOL_FAULTS;
    }
    snapshot_take(&list, &trip->state.map, &trip->address, trip->policy);
    unsigned count = open_all(trip, &list);
    snapshot_clear(&list);
    map_close(&trip->state.map);
    if (count)
        return TOOL_FINE;
    if (trip->policy && has_port(trip))
        output_error("trip: there is neither a policy %s here nor a circuit of it", trip->policy);
    else if (has_port(trip))
        output_error("trip: no rule gives this place a circuit; name its policy with --policy");
    else
        output_error("trip: no port of that host is known in %s; say HOST:PORT", trip->state.path);
    return TOOL_FAULTS;
}

int tool_trip(const struct tool_verb *verb, int argc, char **argv)
{
    struct trip trip = {.open_ms = 0};
    const struct options_entry entries[] = {
        {"for",    0, OPTIONS_TEXT, &trip.duration  },
        {"policy", 0, OPTIONS_TEXT, &trip.policy    },
        {"state",  0, OPTIONS_TEXT, &trip.state_path},
        {NULL,     0, OPTIONS_FLAG, NULL            },
    };
    struct options options = {.verb = verb, .most = 1};
    uint64_t ms = 0;

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (options.count == 0)
        return options_misused(verb, "no host is given");
    const char *fault = address_parse(&trip.address, options.operands[0]);
    if (fault)
        return options_misused(verb, "%s", fault);
    if (trip.duration &&
        (!value_duration(trip.duration, strlen(trip.duration), &ms) || ms == 0 || ms > UINT32_MAX))
        return options_misused(verb, "--for takes a duration such as 90s or 1h, up to 1193h");
    trip.open_ms = (uint32_t)ms;
    if (open_find(&trip.state, trip.state_path) < 0)
        return TOOL_FAULTS;
    return trip_circuits(&trip);
}
