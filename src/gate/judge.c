#include "gate/judge.h"

#include "gate/bucket.h"
#include "gate/inside.h"
#include "gate/race.h"
#include "gate/slice.h"
#include "sys/random.h"

static bool may_repeat(const struct gate_call *call, const struct gate_attempt *attempt)
{
    if (!attempt->replayable)
        return false;
    return !attempt->sent || attempt->idempotent || (attempt->method & inside_settings(call)->retry.methods);
}

bool judge_takes_budget(struct gate_call *call, const struct retry_rule *rule, uint64_t now_us)
{
    struct window_sum window = slice_sum(call->slot->budget, RETRY_BUDGET_WINDOW_MS, now_us / 1000);

    if (!retry_budget_allows(rule, window))
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
struct verdict judge_failure(struct gate_call *call, const struct gate_attempt *attempt, bool circuit_open,
                             uint64_t now_us)
{
    const struct retry_rule *rule = &inside_settings(call)->retry;

    if (call->is_raced && attempt->replayable && race_is_wanted(call, &attempt->outcome))
        return (struct verdict){VERDICT_AGAIN, VERDICT_RACED, 0};
    if (may_go_elsewhere(call, attempt, now_us))
        return (struct verdict){VERDICT_AGAIN, VERDICT_RETRY, 0};
    if (!inside_applies(call, POLICY_RETRY) || !retry_wants(rule, &attempt->outcome))
        return verdict_stop(VERDICT_NOT_RETRYABLE);
    if (call->attempt >= gate_attempts(call))
        return verdict_stop(VERDICT_EXHAUSTED);
    if (!may_repeat(call, attempt))
        return verdict_stop(VERDICT_NOT_REPEATABLE);
    if (circuit_open && inside_settings(call)->breaker.reject != POLICY_REJECT_WAIT)
        return verdict_stop(VERDICT_CIRCUIT_OPEN);

    uint32_t wait_ms = retry_delay_ms(rule, call->attempt + 1u, call->backoff_ms, random_32());
    call->backoff_ms = wait_ms;
    if (attempt->retry_after_ms > (int64_t)wait_ms && rule->retry_after_ms) {
        if (attempt->retry_after_ms > (int64_t)rule->retry_after_ms)
            return verdict_stop(VERDICT_DEADLINE); /* the peer asks for more patience than the rule has */
        wait_ms = (uint32_t)attempt->retry_after_ms;
    }
    if (call->deadline_us && now_us + (uint64_t)wait_ms * 1000 >= call->deadline_us)
        return verdict_stop(VERDICT_DEADLINE);
    if (!judge_takes_budget(call, rule, now_us))
        return verdict_stop(VERDICT_BUDGET);
    /* The token is taken now: once the reply is thrown away it is too late to be refused one. */
    if (inside_applies(call, POLICY_LIMIT)) {
        struct verdict limit = bucket_ask(call, true);
        if (limit.kind == VERDICT_REFUSE)
            return verdict_stop(VERDICT_LIMITED);
        call->has_token = true;
        if (limit.wait_ms > wait_ms)
            wait_ms = limit.wait_ms;
    }
    return (struct verdict){VERDICT_AGAIN, VERDICT_RETRY, wait_ms};
}

bool judge_is_failure(const struct gate_call *call)
{
    const struct outcome *outcome = &call->outcome;

    if (inside_applies(call, POLICY_BREAKER))
        return call->failed;
    return outcome->type == OUTCOME_CONNECT || outcome->type == OUTCOME_TIMEOUT ||
           outcome->type == OUTCOME_RESET || (outcome->status >= 502 && outcome->status <= 504);
}

bool judge_is_lost(const struct gate_call *call)
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
        return !inside_applies(call, POLICY_RETRY) && judge_is_failure(call);
    case VERDICT_NONE:
    case VERDICT_SUCCEEDED:
    case VERDICT_RETRY:
    case VERDICT_RACED:
    case VERDICT_REASONS:
        return false;
    }
    return false;
}
