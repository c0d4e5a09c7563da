#include "gate/network.h"

#include <errno.h>
#include <string.h>

#include "gate/note.h"

enum {
    WHILE_MS = 10000, /* look-ups may take so long to fail */
    MOMENT_BITS = 40,
    TOLD = 1 /* the low bit of suspect: the event was recorded */
};

/* What the kernel or the resolver says without having heard of the host. */
static bool can_be_ours(const struct outcome *outcome)
{
    switch (outcome->os_error) {
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case EADDRNOTAVAIL: /* no address of ours is left to connect from */
        return true;
    }
    return outcome->type == OUTCOME_DNS;
}

static bool is_on_this_machine(const char *host)
{
    static const char *const names[] = {"127.", "localhost:", "[::1]:", "unix:", "/"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(host, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* A host that failed, and when, in a word. */
static uint64_t trouble_of(const struct gate_call *call, uint64_t now_ms)
{
    return call->key << MOMENT_BITS | (now_ms & ((UINT64_C(1) << MOMENT_BITS) - 1));
}

static bool is_recent(uint64_t trouble, uint64_t now_ms)
{
    return trouble && ((now_ms - trouble) & ((UINT64_C(1) << MOMENT_BITS) - 1)) <= WHILE_MS;
}

static bool is_same_host(uint64_t one, uint64_t other)
{
    return one >> MOMENT_BITS == other >> MOMENT_BITS;
}

/* Remembers the host in its own place, else in the other's that failed longer ago. Returns whether there are
 * two. */
static bool remember(_Atomic uint64_t troubled[2], uint64_t trouble, uint64_t now_ms)
{
    uint64_t first = atomic_load(&troubled[0]), second = atomic_load(&troubled[1]);
    bool is_first =
        is_same_host(first, trouble) ||
        (!is_same_host(second, trouble) && (!is_recent(first, now_ms) || is_recent(second, now_ms)));

    atomic_store(&troubled[is_first ? 0 : 1], trouble);
    return is_recent(is_first ? second : first, now_ms) && !is_same_host(is_first ? second : first, trouble);
}

bool network_has_failed(struct gate_call *call, const struct outcome *outcome, uint64_t now_ms)
{
    struct layout_header *header = call->ready->state.header;
    uint64_t none = 0, since;

    if (!can_be_ours(outcome) || is_on_this_machine(call->host))
        return false;
    atomic_compare_exchange_strong(&header->suspect, &none, now_ms << 1);
    if (!remember(header->troubled, trouble_of(call, now_ms), now_ms))
        return false;
    since = atomic_load(&header->suspect);
    if (!(since & TOLD) && atomic_compare_exchange_strong(&header->suspect, &since, since | TOLD))
        note_event(call, EVENTS_OFFLINE, 0);
    note_count(call, LAYOUT_COUNT_offline);
    return true;
}

void network_works(struct gate_call *call, uint64_t now_ms)
{
    struct layout_header *header = call->ready->state.header;
    uint64_t since = atomic_load(&header->suspect);

    /* A call on this machine says nothing of it, but an old suspicion need not be kept for that. */
    if (is_on_this_machine(call->host) && (int64_t)(now_ms - (since >> 1)) <= WHILE_MS)
        return;
    atomic_store(&header->troubled[0], 0);
    atomic_store(&header->troubled[1], 0);
    atomic_store(&header->suspect, 0);
}
