/* Closes circuits by hand, and holds them closed where that is asked for. */
#include <errno.h>

#include "core/breaker.h"
#include "sys/clock.h"
#include "tool/circuit.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"

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

static unsigned close_all(struct map *map, const struct snapshot_list *list)
{
    unsigned opened = 0;

    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        if (!is_worth_closing(host))
            continue;
        circuit_set(map, host, breaker_closed(), EVENTS_RESET, 0);
        opened += breaker_state(host->circuit) != BREAKER_CLOSED;
    }
    return opened;
}

/* Shadow refuses nobody, so its circuits are left to themselves. */
static unsigned hold_all(struct map *map, const struct snapshot_list *list, uint32_t hold_ms)
{
    uint64_t word = breaker_held_closed(clock_now_us() / 1000, hold_ms);
    char duration[OUTPUT_NUMBER];
    unsigned count = 0;

    for (unsigned i = 0; i < list->count; i++) {
        struct snapshot *host = &list->items[i];
        if (host->is_shadow)
            continue;
        circuit_set(map, host, word, EVENTS_HELD, hold_ms);
        output_clean(host->host);
        if (hold_ms)
            printf("%s, policy %s: held closed for %s\n", host->host, snapshot_policy(host),
                   output_duration((uint64_t)hold_ms * 1000, duration));
        else
            printf("%s, policy %s: held closed until `gusset reset %s`\n", host->host, snapshot_policy(host),
                   host->host);
        count++;
    }
    return count;
}

struct reset {
    const char *state_path, *policy, *duration;
    bool hold;
    uint32_t hold_ms; /* 0: until the next reset */
    bool has_address;
    struct address address;
    struct open_state state;
};

static const struct address *address_of(const struct reset *reset)
{
    return reset->has_address ? &reset->address : NULL;
}

static int close_circuits(struct reset *reset)
{
    struct snapshot_list list;
    int error = open_existing(&reset->state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == -ENOENT) {
        printf("nothing to close: there is no state yet at %s\n", reset->state.path);
        return reset->has_address ? TOOL_FAULTS : TOOL_FINE;
    }
    snapshot_take(&list, &reset->state.map, address_of(reset), reset->policy);
    unsigned opened = close_all(&reset->state.map, &list), count = list.count;
    snapshot_clear(&list);
    map_close(&reset->state.map);
    if (count == 0 && (reset->has_address || reset->policy)) {
        output_error("reset: no such circuit in %s; `gusset status` lists those that are", reset->state.path);
        return TOOL_FAULTS;
    }
    printf("%u %s closed by hand", opened, opened == 1 ? "circuit" : "circuits");
    printf(count > opened ? ", %u %s not open\n" : "\n", count - opened,
           count - opened == 1 ? "was" : "were");
    return TOOL_FINE;
}

/* Where the host is not known yet, its place in the state is made first. */
static int hold_circuits(struct reset *reset)
{
    struct snapshot_list list;
    bool has_port = circuit_has_port(&reset->address);
    int error = has_port ? open_or_create(&reset->state) : open_existing(&reset->state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (circuit_make(&reset->state.map, &reset->address, reset->policy, "reset") < 0) {
        map_close(&reset->state.map);
        return TOOL_FAULTS;
    }
    snapshot_take(&list, &reset->state.map, &reset->address, reset->policy);
    unsigned count = hold_all(&reset->state.map, &list, reset->hold_ms);
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
        {"state",  0, OPTIONS_TEXT, &reset.state_path},
        {"policy", 0, OPTIONS_TEXT, &reset.policy    },
        {"hold",   0, OPTIONS_FLAG, &reset.hold      },
        {"for",    0, OPTIONS_TEXT, &reset.duration  },
        {NULL,     0, OPTIONS_FLAG, NULL             },
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
    return reset.hold ? hold_circuits(&reset) : close_circuits(&reset);
}
