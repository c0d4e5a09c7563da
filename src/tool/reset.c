/* Closes circuits by hand, and holds them closed where that is asked for. */
#include <errno.h>

#include "core/breaker.h"
#include "sys/clock.h"
#include "tool/circuit.h"
#include "tool/effect.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"

struct reset {
    const char *state_path, *policy, *duration;
    bool hold;
    uint32_t hold_ms; /* 0: until the next reset */
    bool has_address;
    struct address address;
    struct open_state state;
    struct effect effect;
};

/*
 * What is closed already but counts failures is closed anew; what has nothing to forget is left alone, and
 * without event.
 */
static bool is_worth_closing(const struct snapshot *host)
{
    if (host->circuit != breaker_closed())
        return true;
    for (int i = 0; i < WINDOW_SLOTS; i++)
        if (host->outcomes[i])
            return true;
    return false;
}

static unsigned close_all(struct reset *reset, const struct snapshot_list *list)
{
    unsigned opened = 0;

    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        if (!is_worth_closing(host))
            continue;
        circuit_set(&reset->state.map, host, breaker_closed(), EVENTS_RESET, 0);
        effect_circuit(&reset->effect, host, EVENTS_RESET, 0);
        opened += breaker_state(host->circuit) != BREAKER_CLOSED;
    }
    return opened;
}

/* Shadow refuses nobody, so its circuits are left to themselves. */
static unsigned hold_all(struct reset *reset, const struct snapshot_list *list)
{
    uint64_t word = breaker_held_closed(clock_now_us() / 1000, reset->hold_ms);
    unsigned count = 0;

    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        if (host->is_shadow)
            continue;
        circuit_set(&reset->state.map, host, word, EVENTS_HELD, reset->hold_ms);
        effect_circuit(&reset->effect, host, EVENTS_HELD, reset->hold_ms);
        count++;
    }
    if (count)
        effect_end(&reset->effect);
    return count;
}

static const struct address *address_of(const struct reset *reset)
{
    return reset->has_address ? &reset->address : NULL;
}

/* Without a state all circuits are closed; one that was asked for by name is not there. */
static int tell_of_none(struct reset *reset)
{
    if (reset->has_address) {
        output_error("reset: there is no state yet at %s, so no circuit is open", reset->state.path);
        return TOOL_FAULTS;
    }
    if (!reset->effect.is_json)
        printf("nothing to close: there is no state yet at %s\n", reset->state.path);
    effect_end(&reset->effect);
    return TOOL_FINE;
}

static void tell_of_closed(struct reset *reset, unsigned opened, unsigned count)
{
    effect_end(&reset->effect);
    if (reset->effect.is_json)
        return;
    printf("%u %s closed by hand", opened, opened == 1 ? "circuit" : "circuits");
    printf(count > opened ? ", %u %s not open\n" : "\n", count - opened,
           count - opened == 1 ? "was" : "were");
}

static int close_circuits(struct reset *reset)
{
    struct snapshot_list list;
    int error = open_existing(&reset->state), status = TOOL_FINE;

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == -ENOENT)
        return tell_of_none(reset);
    snapshot_take(&list, &reset->state.map, address_of(reset), reset->policy);
    unsigned count = list.count;
    if (count == 0 && (reset->has_address || reset->policy)) {
        output_error("reset: no such circuit in %s; `gusset status` lists those that are", reset->state.path);
        status = TOOL_FAULTS;
    } else {
        tell_of_closed(reset, close_all(reset, &list), count);
    }
    snapshot_clear(&list);
    map_close(&reset->state.map);
    return status;
}

/* Where the host is not known yet, its place in the state is made first. */
static int hold_circuits(struct reset *reset)
{
    struct snapshot_list list;
    bool has_port = circuit_has_port(&reset->address);
    int error = has_port ? open_to_order(&reset->state) : open_existing(&reset->state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (circuit_make(&reset->state.map, &reset->address, reset->policy, "reset") < 0) {
        map_close(&reset->state.map);
        return TOOL_FAULTS;
    }
    snapshot_take(&list, &reset->state.map, &reset->address, reset->policy);
    unsigned count = hold_all(reset, &list);
    snapshot_clear(&list);
    map_close(&reset->state.map);
    if (count)
        return TOOL_FINE;
    output_error(has_port ? "reset: no rule gives this place a circuit; name its policy with --policy"
                          : "reset: no port of that host is known; say HOST:PORT");
    return TOOL_FAULTS;
}

int tool_reset(const struct tool_verb *verb, int argc, char **argv)
{
    struct reset reset = {.hold = false};
    const struct options_entry entries[] = {
        {"state",  0, OPTIONS_TEXT, &reset.state_path    },
        {"policy", 0, OPTIONS_TEXT, &reset.policy        },
        {"hold",   0, OPTIONS_FLAG, &reset.hold          },
        {"for",    0, OPTIONS_TEXT, &reset.duration      },
        {"json",   0, OPTIONS_FLAG, &reset.effect.is_json},
        {NULL,     0, OPTIONS_FLAG, NULL                 },
    };
    struct options options = {.verb = verb, .most = 1};

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    const char *fault = options.count ? address_parse(&reset.address, options.operands[0]) : NULL;
    if (fault)
        return options_misused(verb, "%s", fault);
    reset.has_address = options.count > 0;
    if (reset.hold && !reset.has_address)
        return options_misused(verb, "--hold takes a host");
    if (reset.duration && !reset.hold)
        return options_misused(verb, "--for says how long to --hold");
    if (reset.duration && !circuit_read_duration(reset.duration, &reset.hold_ms))
        return options_misused(verb, CIRCUIT_DURATION);
    if (open_find(&reset.state, reset.state_path) < 0)
        return TOOL_FAULTS;
    reset.effect.state = reset.state.path;
    return reset.hold ? hold_circuits(&reset) : close_circuits(&reset);
}
