#include "gate/race.h"

#include "gate/bucket.h"
#include "gate/bulkhead.h"
#include "gate/circuit.h"
#include "gate/inside.h"
#include "gate/judge.h"
#include "gate/note.h"
#include "gate/patience.h"
#include "gate/slice.h"
#include "report/histogram.h"
#include "sys/clock.h"

enum { LEAST_US = 1000 }; /* event loops count milliseconds */

static uint64_t began_us(const struct gate_call *call)
{
    return call->began_us ? call->began_us : call->opened_us;
}

/* What so many percent of the host's calls took; 0: nobody knows yet. */
static uint64_t quantile_us(const struct gate_call *call, uint32_t percent)
{
    uint32_t buckets[LAYOUT_LATENCY_BUCKETS];
    uint64_t count = 0;

    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++) {
        buckets[i] = atomic_load_explicit(&call->slot->latency[i], memory_order_relaxed);
        count += buckets[i];
    }
    return count < RACE_SAMPLES ? 0 : histogram_quantile_us(buckets, percent / 100.0);
}

static uint64_t rule_us(const struct gate_call *call)
{
    uint32_t after = inside_settings(call)->hedge.after;
    uint64_t us = after & POLICY_HEDGE_QUANTILE ? quantile_us(call, after & ~(uint32_t)POLICY_HEDGE_QUANTILE)
                                                : (uint64_t)after * 1000;
    return us && us < LEAST_US ? LEAST_US : us;
}

/* A rule that retries nothing has the budget that one which says nothing of it has. */
static const struct retry_rule *budget_of(const struct gate_call *call)
{
    static const struct retry_rule unsaid = {.budget_ratio_bp = 2000, .budget_floor = 10};
    return inside_applies(call, POLICY_RETRY) ? &inside_settings(call)->retry : &unsaid;
}

static bool is_closed(const struct gate_call *call)
{
    return breaker_state(atomic_load_explicit(&call->slot->circuit, memory_order_relaxed)) == BREAKER_CLOSED;
}

uint64_t race_after_us(const struct gate_call *call)
{
    if (!inside_applies(call, POLICY_HEDGE) || call->shadow || call->attempt != 1 || call->round ||
        call->repeats || call->fault)
        return 0;
    return rule_us(call);
}

uint64_t race_due_us(const struct gate_call *call)
{
    uint64_t after_us = race_after_us(call), due_us = began_us(call) + after_us;

    return after_us && (!call->deadline_us || due_us < call->deadline_us) ? due_us : 0;
}

/* Nothing is taken that the call would need later where something else is missing. */
static bool has_budget(const struct gate_call *call, uint64_t now_us)
{
    struct window_sum window = slice_sum(call->slot->budget, RETRY_BUDGET_WINDOW_MS, now_us / 1000);
    return retry_budget_allows(budget_of(call), window);
}

/* The budget is taken last; what came before it and is not needed after all is given back. */
static bool may_begin(struct gate_call *call, uint64_t now_us)
{
    if (call->attempt_ended || !is_closed(call) || (call->deadline_us && now_us >= call->deadline_us) ||
        patience_ask(call, false).kind != VERDICT_GO || !has_budget(call, now_us) ||
        !bulkhead_takes_aside(call))
        return false;
    if (inside_applies(call, POLICY_LIMIT) && bucket_ask(call, false).kind != VERDICT_GO)
        return false;
    return judge_takes_budget(call, budget_of(call), now_us);
}

bool race_begins(struct gate_call *call)
{
    uint64_t now_us = clock_now_us();

    if (!may_begin(call, now_us)) {
        bulkhead_leave_aside(call);
        return false;
    }
    call->is_raced = true;
    call->raced_us = now_us;
    note_count(call, LAYOUT_COUNT_attempts);
    note_count(call, LAYOUT_COUNT_hedged);
    note_event(call, EVENTS_HEDGED, (uint32_t)((now_us - began_us(call)) / 1000));
    return true;
}

bool race_is_wanted(const struct gate_call *call, const struct outcome *outcome)
{
    if (inside_applies(call, POLICY_RETRY))
        return retry_wants(&inside_settings(call)->retry, outcome);
    return judge_is_failure(call);
}

bool race_is_lost_by(const struct gate_call *call, const struct outcome *outcome)
{
    bool is_reply = outcome->type == OUTCOME_SUCCESS || outcome->status;
    return !is_reply || outcome->status >= 500 || (outcome->status >= 400 && race_is_wanted(call, outcome));
}

void race_over(struct gate_call *call)
{
    call->is_raced = false;
    bulkhead_leave_aside(call);
}

void race_goes_on(struct gate_call *call)
{
    race_over(call); /* it holds the first one's place from here */
    call->attempt++;
    call->attempt_ended = call->is_answered = call->is_timed = call->is_slow = false;
    call->began_us = call->raced_us;
    call->over_us = 0;
}

void race_is_void(struct gate_call *call)
{
    note_count(call, LAYOUT_COUNT_attempts);
    note_count(call, LAYOUT_COUNT_retries);
    call->began_us = clock_now_us();
}

void race_won(struct gate_call *call)
{
    note_count(call, LAYOUT_COUNT_hedge_won);
    race_over(call);
}

/* What is counted by a copy, so that the first attempt knows nothing of it. */
void race_lost(struct gate_call *call, const struct gate_attempt *attempt)
{
    struct gate_call second = *call;
    uint64_t now_us = clock_now_us();

    race_over(call);
    second.outcome = attempt->outcome;
    second.attempt++;
    second.is_answered = second.is_slow = false;
    second.is_timed = true;
    second.failed = circuit_counts_as_failure(&second, attempt);
    circuit_tell(&second, attempt, now_us);
    note_response(&second);
    note_error(&second);
    patience_learn(&second, attempt->retry_after_ms, now_us / 1000);
    if (second.failed)
        note_count(&second, LAYOUT_COUNT_failures);
}

void race_would(struct gate_call *call)
{
    uint64_t after_us = inside_applies(call, POLICY_HEDGE) ? rule_us(call) : 0;

    if (after_us && clock_now_us() - call->opened_us > after_us)
        note_count(call, LAYOUT_COUNT_would_hedge);
}
