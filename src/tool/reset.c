/* Closes circuits by hand. */
#include <errno.h>

#include "core/breaker.h"
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

static int reset(struct open_state *state, const struct address *address, const char *policy)
{
    struct snapshot_list list;
    int error = open_existing(state);

    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == -ENOENT) {
        printf("nothing to close: there is no state yet at %s\n", state->path);
        return address ? TOOL_FAULTS : TOOL_FINE;
    }
    snapshot_take(&list, &state->map, address, policy);
    unsigned opened = close_all(&state->map, &list), count = list.count;
    snapshot_clear(&list);
    map_close(&state->map);
    if (count == 0 && (address || policy)) {
        output_error("reset: no such circuit in %s; `gusset status` lists those that are", state->path);
        return TOOL_FAULTS;
    }
    printf("%u %s closed by hand", opened, opened == 1 ? "circuit" : "circuits");
    printf(count > opened ? ", %u %s not open\n" : "\n", count - opened,
           count - opened == 1 ? "was" : "were");
    return TOOL_FINE;
}

int tool_reset(const struct tool_verb *verb, int argc, char **argv)
{
    const char *state_path = NULL, *policy = NULL;
    const struct options_entry entries[] = {
        {"state",  0, OPTIONS_TEXT, &state_path},
        {"policy", 0, OPTIONS_TEXT, &policy    },
        {NULL,     0, OPTIONS_FLAG, NULL       },
    };
    struct options options = {.verb = verb, .most = 1};
    struct open_state state;
    struct address address;

    int status = options_read(&options, entries, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    const char *fault = options.count ? address_parse(&address, options.operands[0]) : NULL;
    if (fault)
        return options_misused(verb, "%s", fault);
    if (open_find(&state, state_path) < 0)
        return TOOL_FAULTS;
    return reset(&state, options.count ? &address : NULL, policy);
}
