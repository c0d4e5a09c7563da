#include "curl/nested.h"

#include "core/method.h"
#include "sys/clock.h"

/*
 * A program that repeats a request later than this is not retrying it, but asks again. (curl's own back-off
 * is 1, 2, 4, 8 s.)
 */
enum { SOON_MS = 15000, REMEMBERED = 16, REPEATS_BITS = 8, REPEATS_MAX = (1 << REPEATS_BITS) - 1 };

/* No lock: what two threads write over each other is a retry more or less. */
static struct {
    _Atomic uint64_t request; /* its hash; 0: nothing */
    _Atomic uint64_t when;    /* it failed, monotonic ms, above the count of its repeats */
} failed[REMEMBERED];
atomic_bool nested_any_failed;

/* FNV-1a; 0 for a request that is not remembered. */
static uint64_t hash_of(const struct call *call)
{
    const char *url = call->handle->texts[HANDLES_URL].bytes;
    uint64_t hash = 0xcbf29ce484222325u ^ call->method;

    if (!(call->method & (METHOD_GET | METHOD_HEAD)) || !url || call->handle->words[HANDLES_CURLU])
        return 0;
    for (; *url; url++)
        hash = (hash ^ (unsigned char)*url) * 0x100000001b3u;
    return hash ? hash : 1;
}

static bool is_remembered(const struct call *call, uint64_t *hash, unsigned *slot)
{
    *hash = hash_of(call);
    *slot = (unsigned)(*hash >> 32) % REMEMBERED;
    return *hash && atomic_load_explicit(&failed[*slot].request, memory_order_relaxed) == *hash;
}

unsigned nested_repeats(const struct call *call)
{
    uint64_t hash;
    unsigned slot;

    if (!nested_is_watched() || !is_remembered(call, &hash, &slot))
        return 0;
    uint64_t when = atomic_load_explicit(&failed[slot].when, memory_order_relaxed);
    if (call->gate.opened_us / 1000 > (when >> REPEATS_BITS) + SOON_MS)
        return 0;
    return (unsigned)(when & REPEATS_MAX) + 1;
}

static bool has_failed(const struct call *call)
{
    const struct gate_call *gate = &call->gate;

    if (gate->outcome.type == OUTCOME_SUCCESS)
        return false;
    return gate->outcome.type == OUTCOME_CIRCUIT_OPEN || gate->outcome.type == OUTCOME_LIMITED ||
           retry_wants(&gate->policy->settings->retry, &gate->outcome);
}

void nested_ended(const struct call *call)
{
    uint64_t hash, now_ms;
    unsigned slot, repeats;

    if (!has_failed(call)) {
        if (nested_is_watched() && is_remembered(call, &hash, &slot))
            atomic_store_explicit(&failed[slot].request, 0, memory_order_relaxed);
        return;
    }
    repeats = call->gate.repeats < REPEATS_MAX ? call->gate.repeats : REPEATS_MAX;
    now_ms = clock_now_us() / 1000;
    is_remembered(call, &hash, &slot);
    if (!hash)
        return;
    atomic_store_explicit(&failed[slot].when, now_ms << REPEATS_BITS | repeats, memory_order_relaxed);
    atomic_store_explicit(&failed[slot].request, hash, memory_order_relaxed);
    atomic_store_explicit(&nested_any_failed, true, memory_order_relaxed);
}
