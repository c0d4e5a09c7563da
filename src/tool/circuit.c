#include "tool/circuit.h"

#include <string.h>
#include <unistd.h>

#include "state/slots.h"
#include "sys/clock.h"

/* A circuit that closes by hand starts with a clean window, or the next failure would open it again. */
static void forget_failures(struct layout_host *slot)
{
    for (int i = 0; i < WINDOW_SLOTS; i++)
        atomic_store_explicit(&slot->outcomes[i], 0, memory_order_relaxed);
}

void circuit_set(struct map *map, const struct snapshot *host, uint64_t word, enum events_kind kind,
                 uint32_t open_ms)
{
    struct events_entry event = {.unix_ms = clock_unix_ms(),
                                 .key = host->key,
                                 .pid = (uint32_t)getpid(),
                                 .detail = open_ms,
                                 .kind = kind,
                                 .shadow = host->is_shadow};

    if (!slots_is_still(host->slot, host->key))
        return; /* another host lives there by now */
    if (kind == EVENTS_RESET)
        forget_failures(host->slot);
    atomic_store(&host->slot->circuit, word);
    memcpy(event.host, host->host, strnlen(host->host, sizeof event.host - 1));
    events_put(map, &event);
}
