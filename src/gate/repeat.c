#include "gate/repeat.h"

#include "gate/circuit.h"
#include "gate/inside.h"
#include "gate/network.h"
#include "report/histogram.h"
#include "report/log.h"
#include "report/record.h"
#include "state/control.h"
#include "state/slots.h"
#include "sys/clock.h"

/* Groups by which each call must be admitted. */
enum { NOT_IN_ONE_STEP = POLICY_LIMIT | POLICY_BULKHEAD | POLICY_FAULT | POLICY_STALE | POLICY_HEDGE };

static inline bool was_plain(const struct gate_call *call, uint32_t groups)
{
    return !call->shadow && !call->is_moving && !call->ready->ends_us && !call->has_waited &&
           !call->wants_answer && !call->repeats && !call->tally && !log_wants(LOG_DEBUG) &&
           !record_wants() && (inside_settings(call)->groups & (NOT_IN_ONE_STEP | groups)) == groups;
}

bool repeat_may_follow(const struct gate_call *call)
{
    return was_plain(call, POLICY_BREAKER);
}

bool gate_may_repeat(const struct gate_call *call)
{
    return call->policy && call->attempt == 1 && !call->round && !call->would_refuse &&
           call->outcome.type == OUTCOME_SUCCESS && was_plain(call, 0);
}

/* What begin and gate_admit set is as it was after the last call, but for what is set here. */
bool gate_repeat(struct gate_call *call)
{
    const struct ready *ready = gate_ready(false);
    struct layout_host *slot = call->slot;

    if (!call->is_routine || ready != call->ready || control_word(ready->state.header) != call->control ||
        !slots_is_still(slot, call->key) || !inside_is_quiet(slot))
        return false;
    uint64_t now_us = clock_now_us();
    if (!slice_count_now(&call->budget_slice, now_us, 1, 0))
        return false; /* another slice begins: the slot is found used, too, at such times */
    call->opened_us = now_us;
    call->deadline_us = call->total_us ? now_us + call->total_us : 0;
    call->over_us = 0;
    call->attempt_ended = call->is_answered = false;
    call->is_repeat = true;
    atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_calls], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_attempts], 1, memory_order_relaxed);
    return true;
}

/* Not routine after all: a circuit that counts failures, or a network that was suspected. */
static __attribute__((noinline)) void tell_both(struct gate_call *call, uint64_t now_ms)
{
    if (network_is_suspected(call))
        network_works(call, now_ms);
    circuit_move(call, now_ms);
}

void gate_repeated(struct gate_call *call)
{
    uint64_t now_us = clock_now_us();
    struct layout_host *slot = call->slot;

    call->attempt_ended = true;
    call->over_us = now_us;
    if (!call->is_answered)
        circuit_count(call, now_us, false);
    if (atomic_load_explicit(&slot->circuit, memory_order_relaxed) |
        atomic_load_explicit(&call->ready->state.header->suspect, memory_order_relaxed))
        tell_both(call, now_us / 1000);
    histogram_add(slot->latency, now_us - call->opened_us);
}

/* The fifth of a retry that the budget got by it is not worth a division. */
void gate_retract(struct gate_call *call)
{
    atomic_fetch_sub_explicit(&call->slot->counters[LAYOUT_COUNT_calls], 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&call->slot->counters[LAYOUT_COUNT_attempts], 1, memory_order_relaxed);
    gate_forget(call);
}
