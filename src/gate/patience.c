#include "gate/patience.h"

#include "gate/inside.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { SPREAD_MOST_MS = 1000 }; /* those who waited for the same moment do not all come in it */

/* What is left of it; 0: none. One further ahead than the rule lets any be is a clock's jump, or another
 * rule's. */
static uint64_t left_ms(const struct gate_call *call, uint64_t now_ms)
{
    uint64_t until_ms = atomic_load_explicit(&call->slot->patience_ms, memory_order_relaxed);
    uint64_t left = until_ms > now_ms ? until_ms - now_ms : 0;

    return left <= inside_settings(call)->retry.retry_after_ms ? left : 0;
}

static uint32_t spread_ms(uint64_t left)
{
    uint64_t most = left / 8 < SPREAD_MOST_MS ? left / 8 : SPREAD_MOST_MS;
    return (uint32_t)(most * random_32() >> 32);
}

struct verdict patience_ask(struct gate_call *call, bool may_wait)
{
    const struct verdict go = {.kind = VERDICT_GO};
    _Atomic uint64_t *word = &call->slot->patience_ms;
    uint64_t asked_ms = atomic_load_explicit(word, memory_order_relaxed);

    if (!asked_ms || !inside_applies(call, POLICY_RETRY))
        return go;
    uint64_t now_us = clock_now_us(), left = left_ms(call, now_us / 1000);
    if (!left) { /* the quick way is open again */
        atomic_compare_exchange_strong(word, &asked_ms, 0);
        return go;
    }
    uint64_t end_us = call->opened_us + (uint64_t)inside_settings(call)->retry.retry_after_ms * 1000;
    if (call->attempt == 1 && now_us + left * 1000 > end_us)
        return go; /* it was asked for again and again: this call has waited its time */
    uint64_t wait_ms = left + spread_ms(left);
    if (!may_wait || (call->deadline_us && now_us + wait_ms * 1000 >= call->deadline_us))
        return go;
    return (struct verdict){VERDICT_LATER, VERDICT_RETRY, (uint32_t)wait_ms};
}

void patience_learn(struct gate_call *call, int64_t retry_after_ms, uint64_t now_ms)
{
    _Atomic uint64_t *word = &call->slot->patience_ms;

    if (retry_after_ms <= 0 || !inside_applies(call, POLICY_RETRY) ||
        retry_after_ms > (int64_t)inside_settings(call)->retry.retry_after_ms)
        return;
    uint64_t until_ms = now_ms + (uint64_t)retry_after_ms, old = atomic_load(word);
    while (old < until_ms && !atomic_compare_exchange_weak(word, &old, until_ms))
        ;
}
