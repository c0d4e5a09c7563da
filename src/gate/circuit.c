#include "gate/circuit.h"

#include "gate/inside.h"
#include "gate/network.h"
#include "gate/note.h"
#include "sys/clock.h"
#include "sys/random.h"

enum {
    LEASE_MS = 60000, /* of a probe whose policy sets no limits on an attempt */
    LOOK_MS = 1000,   /* who waits for an open circuit looks so often whether it was reset by hand */
    PROBED_MS = 100   /* and for a half open one, about so often whether the probe has come back */
};

static uint32_t lease_ms(const struct gate_call *call)
{
    const struct policy_timeouts *limits = &inside_settings(call)->timeout;

    if (!inside_applies(call, POLICY_TIMEOUT) || !limits->attempt_ms)
        return LEASE_MS;
    return limits->connect_ms + limits->attempt_ms;
}

/* Up to half as long again: those who wait do not all come back at once. */
static uint32_t spread_ms(uint64_t ms)
{
    return (uint32_t)(ms + ((ms / 2 * random_32()) >> 32));
}

/* The call may not go, and the rule says to wait: not past its deadline. */
static struct verdict wait_for(const struct gate_call *call, uint64_t word, uint64_t retry_ms)
{
    uint64_t now_us = clock_now_us(), wait_ms = PROBED_MS;

    if (call->deadline_us && now_us >= call->deadline_us)
        return (struct verdict){VERDICT_REFUSE, VERDICT_CIRCUIT_OPEN, (uint32_t)retry_ms};
    if (breaker_state(word) == BREAKER_OPEN)
        wait_ms = retry_ms && retry_ms < LOOK_MS ? retry_ms : LOOK_MS;
    wait_ms = spread_ms(wait_ms);
    if (call->deadline_us && now_us + wait_ms * 1000 > call->deadline_us)
        wait_ms = (call->deadline_us - now_us + 999) / 1000;
    return (struct verdict){VERDICT_LATER, VERDICT_CIRCUIT_OPEN, (uint32_t)wait_ms};
}

struct verdict circuit_ask(struct gate_call *call, bool may_wait)
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
    if (admission.answer == BREAKER_REFUSES && may_wait &&
        inside_settings(call)->breaker.reject == POLICY_REJECT_WAIT)
        return wait_for(call, next, admission.retry_ms);
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

/* A circuit that opens for a reason of its own time: again soon after it closed, or for slowness alone. */
static uint64_t opened(struct gate_call *call, uint64_t old, uint64_t next, uint64_t now_ms)
{
    const struct breaker_rule *rule = &inside_settings(call)->breaker.rule;
    uint32_t opens = breaker_state(old) == BREAKER_CLOSED
                         ? breaker_opens_after(atomic_load(&call->slot->calm), rule, now_ms)
                         : breaker_opens(next);
    return breaker_opened(rule, now_ms, opens, random_32());
}

/*
 * Those of the outage would open it again at the first new one. That there were calls is kept: a host with
 * traffic must not be judged by a few in a row again, or a brownout would open it each time that it closed.
 */
static void forget_failures(struct gate_call *call)
{
    for (int i = 0; i < WINDOW_SLOTS; i++) {
        atomic_fetch_and_explicit(&call->slot->outcomes[i], window_unmarked(), memory_order_relaxed);
        atomic_fetch_and_explicit(&call->slot->slow[i], window_unmarked(), memory_order_relaxed);
    }
}

static void note_move(struct gate_call *call, uint64_t old, uint64_t next, uint64_t now_ms)
{
    if (breaker_state(next) == BREAKER_OPEN && breaker_state(old) != BREAKER_OPEN) {
        note_count(call, LAYOUT_COUNT_opened);
        note_event(call, EVENTS_OPENED, (uint32_t)breaker_remaining_ms(next, now_ms));
    } else if (breaker_state(next) == BREAKER_CLOSED && breaker_state(old) != BREAKER_CLOSED) {
        atomic_store(&call->slot->calm, breaker_calm(now_ms, breaker_opens(old)));
        forget_failures(call);
        note_event(call, EVENTS_CLOSED, 0);
    }
}

/* Whether so many attempts were slow that it opens, though they did not fail; held closed, it does not. */
static bool drags(struct gate_call *call, uint64_t word, uint64_t now_ms)
{
    const struct breaker_rule *rule = &inside_settings(call)->breaker.rule;
    uint64_t left_ms;

    return call->is_slow && breaker_state(word) == BREAKER_CLOSED &&
           !breaker_is_held(word, now_ms, &left_ms) &&
           breaker_is_slow(rule, slice_sum(call->slot->slow, rule->window_ms, now_ms));
}

bool circuit_move(struct gate_call *call, uint64_t now_ms)
{
    const struct breaker_rule *rule = &inside_settings(call)->breaker.rule;
    _Atomic uint64_t *circuit = &call->slot->circuit;
    struct window_sum window = {0};
    bool failed =
        call->failed || (call->round && call->is_slow); /* a slow probe shows that nothing is mended */

    if (call->failed)
        window = slice_sum(call->slot->outcomes, rule->window_ms, now_ms);
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;
    do {
        next = breaker_ended(old, rule, now_ms, call->round, failed, window);
        if ((breaker_state(next) == BREAKER_OPEN && breaker_state(old) != BREAKER_OPEN) ||
            drags(call, next, now_ms))
            next = opened(call, old, next, now_ms);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    note_move(call, old, next, now_ms);
    return breaker_state(next) == BREAKER_OPEN;
}

void circuit_time(struct gate_call *call, uint64_t now_us)
{
    const struct breaker_rule *rule = &inside_settings(call)->breaker.rule;
    uint64_t began_us = call->began_us ? call->began_us : call->opened_us;
    struct slice slice = {0};

    if (!call->wants_answer || call->is_timed)
        return;
    call->is_timed = true;
    call->is_slow = now_us - began_us > (uint64_t)rule->slow_ms * 1000;
    slice_count(&slice, call->slot->slow, rule->window_ms, now_us, 1, call->is_slow);
}

__attribute__((noinline)) void circuit_count_anew(struct gate_call *call, uint64_t now_us, bool failed)
{
    slice_count_anew(&call->outcome_slice, call->slot->outcomes,
                     inside_settings(call)->breaker.rule.window_ms, now_us, !call->is_answered, failed);
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
    if (!attempt->is_elsewhere && tells_of_peer(&attempt->outcome) &&
        !network_has_failed(call, &attempt->outcome, now_us / 1000)) {
        circuit_count(call, now_us, call->failed);
        circuit_time(call, now_us);
        return circuit_move(call, now_us / 1000);
    }
    circuit_withdraw(call);
    return false;
}
