/* Opens circuits by hand; where the host is not known yet, its place in the state is made first. */
#include <errno.h>
#include <string.h>

#include "core/breaker.h"
#include "sys/clock.h"
#include "tool/circuit.h"
#include "tool/effect.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"

struct trip {
    const char *state_path, *policy, *duration;
    uint32_t open_ms; /* 0: until it is reset */
    struct effect effect;
    struct address address;
    struct open_state state;
};

/* Shadow refuses nobody, so its circuits are left to themselves. */
static unsigned open_all(struct trip *trip, const struct snapshot_list *list)
{
    uint64_t word = breaker_forced_open(clock_now_us() / 1000, trip->open_ms);
    unsigned count = 0;

    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        if (host->is_shadow)
            continue;
        circuit_set(&trip->state.map, host, word, EVENTS_TRIPPED, trip->open_ms);
        effect_circuit(&trip->effect, host, EVENTS_TRIPPED, trip->open_ms);
        count++;
    }
    if (count)
        effect_end(&trip->effect);
    return count;
}

static int trip_circuits(struct trip *trip)
{
    struct snapshot_list list;
    int error = circuit_has_port(&trip->address) ? open_to_order(&trip->state) : open_existing(&trip->state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (circuit_make(&trip->state.map, &trip->address, trip->policy, "trip") < 0) {
        map_close(&trip->state.map);
        return TOOL_FAULTS;
    }
    snapshot_take(&list, &trip->state.map, &trip->address, trip->policy);
    unsigned count = open_all(trip, &list);
    snapshot_clear(&list);
    map_close(&trip->state.map);
    if (count)
        return TOOL_FINE;
    if (trip->policy && circuit_has_port(&trip->address))
        output_error("trip: there is neither a policy %s here nor a circuit of it; `gusset completion --list "
                     "policies` lists those that are",
                     trip->policy);
    else if (circuit_has_port(&trip->address))
        output_error("trip: no rule gives this place a circuit; name its policy with --policy");
    else
        output_error("trip: no port of that host is known in %s; say HOST:PORT", trip->state.path);
    return TOOL_FAULTS;
}

int tool_trip(const struct tool_verb *verb, int argc, char **argv)
{
    struct trip trip = {.open_ms = 0};
    const struct options_entry entries[] = {
        {"for",    0, OPTIONS_TEXT, &trip.duration      },
        {"policy", 0, OPTIONS_TEXT, &trip.policy        },
        {"state",  0, OPTIONS_TEXT, &trip.state_path    },
        {"json",   0, OPTIONS_FLAG, &trip.effect.is_json},
        {NULL,     0, OPTIONS_FLAG, NULL                },
    };
    struct options options = {.verb = verb, .most = 1};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (options.count == 0)
        return options_misused(verb, "no host is given");
    const char *fault = address_parse(&trip.address, options.operands[0]);
    if (fault)
        return options_misused(verb, "%s", fault);
    if (trip.duration && !circuit_read_duration(trip.duration, &trip.open_ms))
        return options_misused(verb, CIRCUIT_DURATION);
    if (open_find(&trip.state, trip.state_path) < 0)
        return TOOL_FAULTS;
    trip.effect.state = trip.state.path;
    return trip_circuits(&trip);
}
