#include "gate/circuit.h"

#include "gate/inside.h"
#include "gate/note.h"
#include "sys/clock.h"

enum { LEASE_MS = 60000 }; /* of a probe whose policy sets no limits on an attempt */

static uint32_t lease_ms(const struct gate_call *call)
{
    const struct policy_timeouts *limits = &inside_settings(call)->timeout;

    if (!inside_applies(call, POLICY_TIMEOUT) || !limits->attempt_ms)
        return LEASE_MS;
    return limits->connect_ms + limits->attempt_ms;
}

struct verdict circuit_ask(struct gate_call *call)
{
    const struct breaker_rule *rule = &inside_settings(call)->breaker.rule;
    struct breaker_admission admission = {.answer = BREAKER_ADMITS};
    _Atomic uint64_t *circuit = &call->slot->circuit;

    if (!inside_applies(call, POLICY_BREAKER))
        return (struct verdict){.kind = VERDICT_GO};
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;
    do {
        next = breaker_admit(old, rule, clock_now_us() / 1000, lease_ms(call), &admission);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    if (admission.answer == BREAKER_REFUSES)
        return (struct verdict){VERDICT_REFUSE, VERDICT_CIRCUIT_OPEN, (uint32_t)admission.retry_ms};
    if (admission.answer == BREAKER_PROBES)
        call->round = admission.round;
    return (struct verdict){.kind = VERDICT_GO};
}

void circuit_withdraw(struct gate_call *call)
{
    _Atomic uint64_t *circuit = &call->slot->circuit;
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;

    if (!call->round)
        return;
    do {
        next = breaker_withdraw(old, call->round);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    call->round = 0;
}

/* What the program or this machine caused says nothing about the peer. */
static bool tells_of_peer(const struct outcome *outcome)
{
    return outcome->type != OUTCOME_LOCAL && outcome->type != OUTCOME_ABORTED;
}

static void forget_failures(struct gate_call *call)
{
    for (int i = 0; i < WINDOW_SLOTS; i++)
        atomic_store_explicit(&call->slot->outcomes[i], 0, memory_order_relaxed);
}

bool circuit_move(struct gate_call *call, uint64_t now_ms)
{
    const struct breaker_rule *rule = &inside_settings(call)->breaker.rule;
    _Atomic uint64_t *circuit = &call->slot->circuit;
    struct window_sum window = {0};

    if (call->failed)
        window = slice_sum(call->slot->outcomes, rule->window_ms, now_ms);
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;
    do {
        next = breaker_ended(old, rule, now_ms, call->round, call->failed, window);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    if (breaker_state(next) == BREAKER_OPEN && breaker_state(old) != BREAKER_OPEN) {
        note_count(call, LAYOUT_COUNT_opened);
        note_event(call, EVENTS_OPENED, (uint32_t)breaker_remaining_ms(next, now_ms));
    } else if (breaker_state(next) == BREAKER_CLOSED && breaker_state(old) != BREAKER_CLOSED) {
        forget_failures(call); /* those of the outage would open it again at the first new one */
        note_event(call, EVENTS_CLOSED, 0);
    }
    return breaker_state(next) == BREAKER_OPEN;
}

bool circuit_counts_as_failure(const struct gate_call *call, const struct gate_attempt *attempt)
{
    if (attempt->is_elsewhere || !tells_of_peer(&attempt->outcome))
        return false;
    return !inside_applies(call, POLICY_BREAKER) ||
           outcome_set_has(&inside_settings(call)->breaker.on, &attempt->outcome);
}

bool circuit_tell(struct gate_call *call, const struct gate_attempt *attempt, uint64_t now_us)
{
    if (!inside_applies(call, POLICY_BREAKER))
        return false;
    if (!attempt->is_elsewhere && tells_of_peer(&attempt->outcome)) {
        circuit_count(call, now_us, call->failed);
        return circuit_move(call, now_us / 1000);
    }
    circuit_withdraw(call);
    return false;
}
