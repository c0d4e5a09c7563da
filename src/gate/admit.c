/* May the next attempt go? */
#include "gate/bucket.h"
#include "gate/bulkhead.h"
#include "gate/circuit.h"
#include "gate/gate.h"
#include "gate/inside.h"
#include "gate/note.h"
#include "gate/patience.h"
#include "sys/clock.h"
#include "sys/random.h"

/* What is written down of a refusal, by its reason. */
static const struct {
    enum outcome_type outcome;
    enum layout_counter counter;
    enum events_kind event;
} refusals[VERDICT_REASONS] = {
    [VERDICT_CIRCUIT_OPEN] = {OUTCOME_CIRCUIT_OPEN, LAYOUT_COUNT_rejected, EVENTS_REJECTED},
    [VERDICT_LIMITED] = {OUTCOME_LIMITED,      LAYOUT_COUNT_limited,  EVENTS_LIMITED },
    [VERDICT_CROWDED] = {OUTCOME_LIMITED,      LAYOUT_COUNT_crowded,  EVENTS_CROWDED },
    [VERDICT_DEADLINE] = {OUTCOME_LOCAL,        LAYOUT_COUNT_late,     EVENTS_LATE    },
};

static void note_refusal(struct gate_call *call, const struct verdict *verdict)
{
    call->outcome = (struct outcome){.type = (uint8_t)refusals[verdict->reason].outcome};
    note_error(call);
    note_count(call, call->shadow ? LAYOUT_COUNT_would_reject : refusals[verdict->reason].counter);
    note_event(call, refusals[verdict->reason].event, verdict->wait_ms);
    if (!call->shadow)
        note_attempt(call, NULL);
}

bool gate_is_clear(const struct gate_call *call)
{
    return inside_is_free_to_go(call);
}

/* Longer than the rule would wait for a reply: it times out. */
static bool is_too_late(const struct gate_call *call, uint32_t delay_ms)
{
    const struct policy_timeouts *limits = &inside_settings(call)->timeout;
    uint64_t now_us = clock_now_us();

    if (call->deadline_us && now_us + (uint64_t)delay_ms * 1000 >= call->deadline_us)
        return true;
    return inside_applies(call, POLICY_TIMEOUT) && limits->attempt_ms && delay_ms >= limits->attempt_ms;
}

/* What is rehearsed is decided for each attempt. */
static void rehearse(struct gate_call *call, bool may_wait, struct verdict *verdict)
{
    const struct rehearsal_rule *rule = &inside_settings(call)->fault;
    uint32_t delay_ms = may_wait ? rule->delay_ms : 0;

    if (!call->can_reply && rule->error >= REHEARSAL_CUT)
        return;
    if (call->shadow || !inside_applies(call, POLICY_FAULT) || !call->ready->globals->faults ||
        rehearsal_is_over(rule, clock_unix_ms() / 1000) || !rehearsal_strikes(rule, random_32()))
        return;
    call->fault = delay_ms && is_too_late(call, delay_ms) ? REHEARSAL_TIMEOUT : rule->error;
    note_count(call, LAYOUT_COUNT_faults);
    note_event(call, EVENTS_FAULT, call->fault);
    if (call->fault == REHEARSAL_TIMEOUT || !delay_ms)
        return;
    verdict->kind = VERDICT_WAIT;
    verdict->wait_ms += delay_ms;
    call->has_waited = true;
}

bool gate_is_calm(const struct gate_call *call)
{
    return atomic_load_explicit(&call->slot->circuit, memory_order_relaxed) == breaker_closed();
}

/* Each asks only where those before it let the call go: what they gave is given back where it does not. */
static struct verdict ask_all(struct gate_call *call, bool may_wait)
{
    struct verdict verdict = circuit_ask(call, may_wait);

    if (verdict.kind == VERDICT_GO)
        verdict = patience_ask(call, may_wait);
    if (verdict.kind == VERDICT_GO && inside_applies(call, POLICY_BULKHEAD))
        verdict = bulkhead_ask(call, may_wait);
    if (verdict.kind == VERDICT_GO && inside_applies(call, POLICY_LIMIT))
        verdict = bucket_ask(call, may_wait);
    if (verdict.kind == VERDICT_REFUSE || verdict.kind == VERDICT_LATER)
        circuit_withdraw(call);
    return verdict;
}

/* Once a call, however often it looks. */
static void note_wait(struct gate_call *call, const struct verdict *verdict)
{
    if (call->has_waited)
        return;
    call->has_waited = true;
    note_count(call, LAYOUT_COUNT_waited);
    note_event(call, EVENTS_WAITS, verdict->wait_ms);
}

/* The time that the run was given is over. */
static bool is_late(const struct gate_call *call)
{
    return call->ready->ends_us && clock_now_us() >= call->ready->ends_us;
}

static __attribute__((noinline)) struct verdict ask(struct gate_call *call, bool may_wait)
{
    gate_recall(call);
    struct verdict verdict = is_late(call)
                                 ? (struct verdict){.kind = VERDICT_REFUSE, .reason = VERDICT_DEADLINE}
                                 : ask_all(call, may_wait);

    call->fault = REHEARSAL_NONE;
    if (verdict.kind == VERDICT_WAIT || verdict.kind == VERDICT_LATER)
        note_wait(call, &verdict);
    if (verdict.kind == VERDICT_LATER && !call->shadow) {
        call->attempt--;
        return verdict;
    }
    if (verdict.kind == VERDICT_REFUSE) {
        note_refusal(call, &verdict);
        call->would_refuse = true;
        if (!call->shadow) {
            call->attempt--;
            bulkhead_leave(call);
            return verdict;
        }
    }
    note_count(call, LAYOUT_COUNT_attempts);
    if (call->attempt > 1)
        note_count(call, LAYOUT_COUNT_retries);
    if (call->round)
        note_event(call, EVENTS_PROBE, 0);
    if (call->shadow)
        verdict.kind = VERDICT_GO;
    rehearse(call, may_wait, &verdict);
    if (call->has_waited || call->wants_answer)
        call->began_us =
            clock_now_us() + (verdict.kind == VERDICT_WAIT ? verdict.wait_ms * UINT64_C(1000) : 0);
    return verdict;
}

struct verdict gate_admit(struct gate_call *call, bool may_wait)
{
    if (call->is_repeat && !call->attempt_ended) /* admitted already */
        return (struct verdict){.kind = VERDICT_GO};
    call->attempt++;
    call->attempt_ended = call->is_answered = call->is_routine = call->is_timed = call->is_slow = false;
    call->round = 0;
    if (call->attempt > 1 || call->ready->ends_us || !inside_is_free_to_go(call))
        return ask(call, may_wait);
    note_count(call, LAYOUT_COUNT_attempts);
    return (struct verdict){.kind = VERDICT_GO};
}
