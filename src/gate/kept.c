#include "gate/kept.h"

#include <stddef.h>
#include <string.h>

#include "gate/inside.h"
#include "gate/slice.h"
#include "report/histogram.h"
#include "state/control.h"
#include "state/slots.h"
#include "sys/clock.h"

/* The shorter of what the rule gives to a connection and to the whole call. */
static uint32_t limit_ms(const struct gate_call *call)
{
    const struct policy *settings = inside_settings(call);
    uint64_t most_ms = call->total_us ? call->total_us / 1000 + 1 : UINT32_MAX;
    uint32_t connect_ms = inside_applies(call, POLICY_TIMEOUT) ? settings->timeout.connect_ms : 0;

    if (connect_ms && connect_ms < most_ms)
        return connect_ms;
    return most_ms < UINT32_MAX ? (uint32_t)most_ms : 0;
}

size_t kept_of(struct kept *kept, const struct gate_call *call)
{
    if (!gate_may_repeat(call))
        return 0;
    size_t length = strlen(call->host);
    if (length >= sizeof kept->host)
        return 0;
    *kept = (struct kept){
        .policy = call->policy,
        .ready = call->ready,
        .slot = call->slot,
        .key = call->key,
        .control = call->control,
        .budget_slice = call->budget_slice,
        .outcome_slice = call->outcome_slice,
        .total_us = call->total_us,
        .limit_ms = limit_ms(call),
        .window_ms = inside_applies(call, POLICY_BREAKER) ? inside_settings(call)->breaker.rule.window_ms : 0,
        .has_retries = inside_applies(call, POLICY_RETRY),
    };
    memcpy(kept->host, call->host, length);
    return offsetof(struct kept, host) + length + 1;
}

/* A record of rules that was used again has another number, and where there are other rules the control word
 * differs. */
static inline bool hold(const struct kept *kept)
{
    struct ready *ready = ready_hold();

    if (ready == kept->ready && control_word(ready->state.header) == kept->control)
        return true;
    if (ready)
        ready_drop(ready);
    return false;
}

bool kept_open(struct kept *kept, uint64_t *opened_us)
{
    struct layout_host *slot = kept->slot;

    *opened_us = clock_now_us();
    if (!slots_is_still(slot, kept->key) || !inside_is_quiet(slot) || !hold(kept))
        return false;
    /* Where another slice begins the slot is to be found used, too. */
    if (!slice_count_now(&kept->budget_slice, *opened_us, 1, 0)) {
        ready_drop(kept->ready);
        return false;
    }
    atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_calls], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_attempts], 1, memory_order_relaxed);
    return true;
}

/* Without a breaker nobody but trip writes to the circuit. */
bool kept_ended(struct kept *kept, uint64_t opened_us, uint64_t now_us)
{
    struct layout_host *slot = kept->slot;

    if (atomic_load_explicit(&slot->circuit, memory_order_relaxed) != breaker_closed() ||
        atomic_load_explicit(&kept->ready->state.header->suspect, memory_order_relaxed))
        return false;
    if (kept->window_ms)
        slice_count(&kept->outcome_slice, slot->outcomes, kept->window_ms, now_us, 1, 0);
    histogram_add(slot->latency, now_us - opened_us);
    ready_drop(kept->ready);
    return true;
}

void kept_call(const struct kept *kept, uint64_t opened_us, struct gate_call *call)
{
    *call = (struct gate_call){
        .policy = kept->policy,
        .ready = kept->ready,
        .slot = kept->slot,
        .bucket = kept->slot,
        .key = kept->key,
        .bucket_key = kept->key,
        .control = kept->control,
        .budget_slice = kept->budget_slice,
        .outcome_slice = kept->outcome_slice,
        .total_us = kept->total_us,
        .opened_us = opened_us,
        .deadline_us = kept->total_us ? opened_us + kept->total_us : 0,
        .attempt = 1,
        .is_repeat = true,
    };
    memcpy(call->host, kept->host, sizeof kept->host);
}
