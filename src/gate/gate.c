#include "gate/gate.h"

#include "gate/bulkhead.h"
#include "gate/circuit.h"
#include "gate/inside.h"
#include "gate/network.h"
#include "gate/note.h"
#include "gate/patience.h"
#include "gate/route.h"
#include "gate/slice.h"
#include "report/histogram.h"
#include "report/log.h"
#include "report/record.h"
#include "sys/clock.h"
#include "sys/random.h"

/* ---- admit ---- */

/* No wait may be longer than the rule allows, or end after the call's deadline. */
static uint64_t patience_us(const struct gate_call *call, bool may_wait, uint64_t now_us)
{
    uint64_t patience = may_wait ? (uint64_t)inside_settings(call)->limit.rule.wait_ms * 1000 : 0;

    if (!call->deadline_us || now_us + patience < call->deadline_us)
        return patience;
    return now_us < call->deadline_us ? call->deadline_us - now_us : 0;
}

static struct verdict ask_limit(struct gate_call *call, bool may_wait)
{
    const struct limit_rule *rule = &inside_settings(call)->limit.rule;
    _Atomic uint64_t *word = &call->bucket->limit;
    uint64_t old = atomic_load_explicit(word, memory_order_relaxed), next, wait_us;

    if (call->has_token) {
        call->has_token = false;
        return (struct verdict){.kind = VERDICT_GO};
    }
    do {
        uint64_t now_us = clock_now_us();
        wait_us = limit_take(old, rule, now_us, &next);
        if (wait_us > patience_us(call, may_wait, now_us))
            return (struct verdict){VERDICT_REFUSE, VERDICT_LIMITED, (uint32_t)(wait_us / 1000 + 1)};
    } while (!atomic_compare_exchange_weak(word, &old, next));
    if (!wait_us)
        return (struct verdict){.kind = VERDICT_GO};
    return (struct verdict){VERDICT_WAIT, VERDICT_NONE, (uint32_t)((wait_us + 999) / 1000)};
}

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
        verdict = ask_limit(call, may_wait);
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

/* ---- ended ---- */

static struct verdict stop(enum verdict_reason reason)
{
    return (struct verdict){.kind = VERDICT_STOP, .reason = reason};
}

static bool may_repeat(const struct gate_call *call, const struct gate_attempt *attempt)
{
    if (!attempt->replayable)
        return false;
    return !attempt->sent || attempt->idempotent || (attempt->method & inside_settings(call)->retry.methods);
}

/* One retry out of the budget that all processes share. */
static bool take_budget(struct gate_call *call, uint64_t now_us)
{
    struct window_sum window = slice_sum(call->slot->budget, RETRY_BUDGET_WINDOW_MS, now_us / 1000);

    if (!retry_budget_allows(&inside_settings(call)->retry, window))
        return false;
    slice_count(&call->budget_slice, call->slot->budget, RETRY_BUDGET_WINDOW_MS, now_us, 0, 1);
    return true;
}

/*
 * A service's other addresses are tried in turn, under whatever rule: what could not be reached at one has
 * not been asked for yet, and the others are not loaded by the first one's outage.
 */
static bool may_go_elsewhere(const struct gate_call *call, const struct gate_attempt *attempt,
                             uint64_t now_us)
{
    uint8_t type = attempt->outcome.type;

    return call->route.left && attempt->replayable && !attempt->sent &&
           (type == OUTCOME_CONNECT || type == OUTCOME_DNS || type == OUTCOME_TIMEOUT) &&
           !inside_applies(call, POLICY_LIMIT) && (!call->deadline_us || now_us < call->deadline_us);
}

/* The ladder of reasons to stop, cheapest first; the budget is asked last because asking spends it. */
static struct verdict judge(struct gate_call *call, const struct gate_attempt *attempt, bool circuit_open,
                            uint64_t now_us)
{
    const struct retry_rule *rule = &inside_settings(call)->retry;

    if (may_go_elsewhere(call, attempt, now_us))
        return (struct verdict){VERDICT_AGAIN, VERDICT_RETRY, 0};
    if (!inside_applies(call, POLICY_RETRY) || !retry_wants(rule, &attempt->outcome))
        return stop(VERDICT_NOT_RETRYABLE);
    if (call->attempt >= gate_attempts(call))
        return stop(VERDICT_EXHAUSTED);
    if (!may_repeat(call, attempt))
        return stop(VERDICT_NOT_REPEATABLE);
    if (circuit_open && inside_settings(call)->breaker.reject != POLICY_REJECT_WAIT)
        return stop(VERDICT_CIRCUIT_OPEN);

    uint32_t wait_ms = retry_delay_ms(rule, call->attempt + 1u, call->backoff_ms, random_32());
    call->backoff_ms = wait_ms;
    if (attempt->retry_after_ms > (int64_t)wait_ms && rule->retry_after_ms) {
        if (attempt->retry_after_ms > (int64_t)rule->retry_after_ms)
            return stop(VERDICT_DEADLINE); /* the peer asks for more patience than the rule has */
        wait_ms = (uint32_t)attempt->retry_after_ms;
    }
    if (call->deadline_us && now_us + (uint64_t)wait_ms * 1000 >= call->deadline_us)
        return stop(VERDICT_DEADLINE);
    if (!take_budget(call, now_us))
        return stop(VERDICT_BUDGET);
    /* The token is taken now: once the reply is thrown away it is too late to be refused one. */
    if (inside_applies(call, POLICY_LIMIT)) {
        struct verdict limit = ask_limit(call, true);
        if (limit.kind == VERDICT_REFUSE)
            return stop(VERDICT_LIMITED);
        call->has_token = true;
        if (limit.wait_ms > wait_ms)
            wait_ms = limit.wait_ms;
    }
    return (struct verdict){VERDICT_AGAIN, VERDICT_RETRY, wait_ms};
}

static void note_verdict(struct gate_call *call, const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_AGAIN) {
        if (call->shadow)
            note_count(call, LAYOUT_COUNT_would_retry);
        note_event(call, EVENTS_RETRY, verdict->wait_ms);
    } else if (verdict->reason == VERDICT_EXHAUSTED) {
        note_count(call, LAYOUT_COUNT_exhausted);
        note_event(call, EVENTS_EXHAUSTED, 0);
    } else if (verdict->reason == VERDICT_BUDGET) {
        note_count(call, LAYOUT_COUNT_unfunded);
        note_event(call, EVENTS_UNFUNDED, 0);
    }
}

/* Where the rule has no tries, what counts against the host is a failure; without a breaker, what it would.
 */
static bool is_failure(const struct gate_call *call)
{
    const struct outcome *outcome = &call->outcome;

    if (inside_applies(call, POLICY_BREAKER))
        return call->failed;
    return outcome->type == OUTCOME_CONNECT || outcome->type == OUTCOME_TIMEOUT ||
           outcome->type == OUTCOME_RESET || (outcome->status >= 502 && outcome->status <= 504);
}

/* Whether tries ran out, for whatever reason. */
static bool is_lost(const struct gate_call *call)
{
    switch (call->last.reason) {
    case VERDICT_EXHAUSTED:
    case VERDICT_BUDGET:
    case VERDICT_DEADLINE:
    case VERDICT_LIMITED:
    case VERDICT_CROWDED:
    case VERDICT_CIRCUIT_OPEN:
    case VERDICT_NOT_REPEATABLE:
        return true;
    case VERDICT_NOT_RETRYABLE:
        return !inside_applies(call, POLICY_RETRY) && is_failure(call);
    case VERDICT_NONE:
    case VERDICT_SUCCEEDED:
    case VERDICT_RETRY:
    case VERDICT_REASONS:
        return false;
    }
    return false;
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

void gate_succeeded(struct gate_call *call, struct outcome outcome)
{
    if (call->attempt_ended)
        return;
    call->attempt_ended = true;
    call->outcome = outcome;
    call->failed = false;
    if (call->route.slot)
        route_ended(call, &outcome);
    note_attempt(call, NULL);
    if (call->would_refuse) { /* shadow: this attempt would not have been made, so it is not counted */
        call->last = stop(VERDICT_CIRCUIT_OPEN);
        return;
    }
    call->last = stop(VERDICT_SUCCEEDED);
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
        route_ended(call, &attempt->outcome);
    note_attempt(call, attempt);
    if (call->would_refuse) {
        call->last = stop(VERDICT_CIRCUIT_OPEN);
        return call->last;
    }
    uint64_t now_us = clock_now_us();
    call->failed = circuit_counts_as_failure(call, attempt);
    bool circuit_open = circuit_tell(call, attempt, now_us);
    note_response(call);
    note_error(call);
    patience_learn(call, attempt->retry_after_ms, now_us / 1000);
    if (call->failed)
        note_count(call, LAYOUT_COUNT_failures);
    call->last = judge(call, attempt, circuit_open, now_us);
    note_verdict(call, &call->last);
    call->began_us = now_us + (uint64_t)call->last.wait_ms * 1000; /* the next attempt, if there is one */
    if (call->shadow)
        call->last.kind = VERDICT_STOP;
    if (call->last.kind == VERDICT_STOP && attempt->replaceable && is_lost(call))
        replace(call);
    return call->last;
}

/* ---- close ---- */

/* Groups by which each call must be admitted. */
enum { NOT_IN_ONE_STEP = POLICY_LIMIT | POLICY_BULKHEAD | POLICY_FAULT | POLICY_STALE };

static inline bool was_plain(const struct gate_call *call, uint32_t groups)
{
    return !call->shadow && !call->is_moving && !call->ready->ends_us && !call->has_waited &&
           !call->wants_answer && !call->repeats && !call->tally && !log_wants(LOG_DEBUG) &&
           !record_wants() && (inside_settings(call)->groups & (NOT_IN_ONE_STEP | groups)) == groups;
}

/* Whether the next call may be opened by gate_repeat, and ended by gate_repeated. */
static bool was_routine(const struct gate_call *call)
{
    return was_plain(call, POLICY_BREAKER);
}

bool gate_may_repeat(const struct gate_call *call)
{
    return call->policy && call->attempt == 1 && !call->round && !call->would_refuse &&
           call->outcome.type == OUTCOME_SUCCESS && was_plain(call, 0);
}

void gate_close(struct gate_call *call)
{
    uint64_t took_us = (call->over_us ? call->over_us : clock_now_us()) - call->opened_us;

    if (call->place)
        bulkhead_leave(call);
    if (call->over_us && call->attempt == 1) { /* the way of nearly every call */
        note_latency(call, took_us);
        call->is_routine = was_routine(call);
        return;
    }
    call->is_routine = false;
    if (!call->attempt_ended)
        circuit_withdraw(call);
    if (call->attempt_ended && call->attempt > 1 && call->outcome.type == OUTCOME_SUCCESS) {
        note_count(call, LAYOUT_COUNT_rescued);
        note_event(call, EVENTS_RESCUED, (uint32_t)(took_us / 1000));
    } else if (call->failed || call->outcome.type == OUTCOME_CIRCUIT_OPEN ||
               call->outcome.type == OUTCOME_LIMITED) {
        note_count(call, LAYOUT_COUNT_failed);
    }
    note_latency(call, took_us);
}

void gate_leave(struct gate_call *call)
{
    gate_close(call);
    gate_forget(call);
}

void gate_repeated_at(struct gate_call *call, uint64_t now_us)
{
    call->attempt_ended = true;
    call->over_us = now_us;
    if (network_is_suspected(call))
        network_works(call, now_us / 1000);
    if (inside_applies(call, POLICY_BREAKER))
        circuit_tell_success(call, now_us);
    histogram_add(call->slot->latency, now_us - call->opened_us);
}

int gate_refusal_status(const struct gate_call *call, const struct verdict *verdict)
{
    const struct policy *settings = inside_settings(call);

    if (verdict->reason == VERDICT_CIRCUIT_OPEN && settings->breaker.reject == POLICY_REJECT_REPLY)
        return 503;
    return verdict->reason == VERDICT_LIMITED && settings->limit.reject == POLICY_REJECT_REPLY ? 429 : 0;
}

void gate_give_up(struct gate_call *call)
{
    if (call->place)
        bulkhead_leave(call);
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
