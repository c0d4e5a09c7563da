/* How an attempt ended: it is counted, the circuit is told, and what follows is decided. */
#include "gate/choice.h"
#include "gate/circuit.h"
#include "gate/gate.h"
#include "gate/inside.h"
#include "gate/judge.h"
#include "gate/network.h"
#include "gate/note.h"
#include "gate/patience.h"
#include "sys/clock.h"

static void note_verdict(struct gate_call *call, const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_AGAIN) {
        if (call->shadow)
            note_count(call, LAYOUT_COUNT_would_retry);
        if (verdict->reason != VERDICT_RACED)
            note_event(call, EVENTS_RETRY, verdict->wait_ms);
    } else if (verdict->reason == VERDICT_EXHAUSTED) {
        note_count(call, LAYOUT_COUNT_exhausted);
        note_event(call, EVENTS_EXHAUSTED, 0);
    } else if (verdict->reason == VERDICT_BUDGET) {
        note_count(call, LAYOUT_COUNT_unfunded);
        note_event(call, EVENTS_UNFUNDED, 0);
    }
}

static void replace(struct gate_call *call)
{
    if (call->shadow)
        note_count(call, LAYOUT_COUNT_would_fall_back);
    else
        call->last.kind = VERDICT_REPLACE;
}

void gate_fell_back(struct gate_call *call, uint32_t status)
{
    note_count(call, LAYOUT_COUNT_fallback);
    note_event(call, EVENTS_FALLBACK, status);
}

void gate_gave_stale(struct gate_call *call, uint32_t age_s)
{
    note_count(call, LAYOUT_COUNT_stale);
    note_event(call, EVENTS_STALE, age_s);
}

void gate_resumed(struct gate_call *call, uint64_t bytes)
{
    note_count(call, LAYOUT_COUNT_resumed);
    note_event(call, EVENTS_RESUMED, bytes / 1024 < UINT32_MAX ? (uint32_t)(bytes / 1024) : UINT32_MAX);
}

/* A probe must have ended well. */
void gate_answered(struct gate_call *call)
{
    if (call->is_answered || !inside_applies(call, POLICY_BREAKER))
        return;
    if (call->wants_answer)
        circuit_time(call, clock_now_us());
    if (call->round)
        return;
    call->failed = false;
    circuit_tell_success(call, clock_now_us());
    call->is_answered = true;
}

void gate_took(struct gate_call *call, uint64_t took_us)
{
    call->opened_us = clock_now_us() - took_us;
    call->began_us = 0;
}

void gate_succeeded(struct gate_call *call, struct outcome outcome)
{
    if (call->attempt_ended)
        return;
    call->attempt_ended = true;
    call->outcome = outcome;
    call->failed = false;
    if (call->route.slot)
        choice_ended(call, &outcome);
    note_attempt(call, NULL);
    if (call->would_refuse) { /* shadow: this attempt would not have been made, so it is not counted */
        call->last = verdict_stop(VERDICT_CIRCUIT_OPEN);
        return;
    }
    call->last = verdict_stop(VERDICT_SUCCEEDED);
    call->over_us = clock_now_us();
    if (network_is_suspected(call))
        network_works(call, call->over_us / 1000);
    if (call->wants_answer)
        circuit_time(call, call->over_us);
    if (inside_applies(call, POLICY_BREAKER))
        circuit_tell_success(call, call->over_us);
    note_response(call);
}

struct verdict gate_ended(struct gate_call *call, const struct gate_attempt *attempt)
{
    if (call->attempt_ended)
        return call->last;
    if (attempt->outcome.type == OUTCOME_SUCCESS) {
        gate_succeeded(call, attempt->outcome);
        return call->last;
    }
    call->attempt_ended = true;
    call->is_routine = false;
    call->outcome = attempt->outcome;
    if (call->route.slot)
        choice_ended(call, &attempt->outcome);
    note_attempt(call, attempt);
    if (call->would_refuse) {
        call->last = verdict_stop(VERDICT_CIRCUIT_OPEN);
        return call->last;
    }
    gate_recall(call);
    uint64_t now_us = clock_now_us();
    call->failed = circuit_counts_as_failure(call, attempt);
    bool circuit_open = circuit_tell(call, attempt, now_us);
    note_response(call);
    note_error(call);
    patience_learn(call, attempt->retry_after_ms, now_us / 1000);
    if (call->failed)
        note_count(call, LAYOUT_COUNT_failures);
    call->last = judge_failure(call, attempt, circuit_open, now_us);
    note_verdict(call, &call->last);
    call->began_us = now_us + (uint64_t)call->last.wait_ms * 1000; /* the next attempt, if there is one */
    if (call->shadow)
        call->last.kind = VERDICT_STOP;
    if (call->last.kind == VERDICT_STOP && attempt->replaceable && judge_is_lost(call))
        replace(call);
    return call->last;
}
