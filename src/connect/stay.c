#include "connect/stay.h"

#include <errno.h>

#include "sys/raw.h"

static const struct policy *settings_of(const struct attempt *attempt)
{
    return attempt->call.policy->settings;
}

bool stay_may(struct attempt *attempt)
{
    const struct policy *settings = settings_of(attempt);

    if (attempt->hold_until_us)
        return true;
    if (socket_is_blocking(attempt->fd))
        return true;
    if (!(settings->groups & POLICY_RETRY) || !settings->retry.hold_ms)
        return false;
    attempt->hold_until_us = attempt->call.opened_us + (uint64_t)settings->retry.hold_ms * 1000;
    return true;
}

/* Whether the rule ever keeps a call waiting before it goes: only then is the socket looked at. */
static bool rule_keeps(const struct policy *settings)
{
    return settings->groups & POLICY_FAULT ||
           (settings->groups & POLICY_LIMIT && settings->limit.rule.wait_ms) ||
           (settings->groups & POLICY_BULKHEAD && settings->bulkhead.wait_ms) ||
           (settings->groups & POLICY_BREAKER && settings->breaker.reject == POLICY_REJECT_WAIT) ||
           (settings->groups & POLICY_FAULT && settings->fault.delay_ms);
}

uint64_t stay_narrow(struct attempt *attempt)
{
    uint64_t deadline_us = attempt->call.deadline_us;

    if (attempt->hold_until_us && (!deadline_us || attempt->hold_until_us < deadline_us))
        attempt->call.deadline_us = attempt->hold_until_us;
    return deadline_us;
}

int stay_ms(uint32_t ms)
{
    const struct sys_time duration = {ms / 1000, (int64_t)(ms % 1000) * 1000000};
    return ms ? sys_sleep(&duration) : 0;
}

bool stay_refused(struct attempt *attempt)
{
    bool is_kept = !attempt->call.shadow && rule_keeps(settings_of(attempt)) && stay_may(attempt);

    for (;;) {
        uint64_t deadline_us = stay_narrow(attempt);
        struct verdict verdict = gate_admit(&attempt->call, is_kept);
        attempt->call.deadline_us = deadline_us;
        if (verdict.kind != VERDICT_WAIT && verdict.kind != VERDICT_LATER)
            return verdict.kind == VERDICT_REFUSE;
        is_kept = stay_ms(verdict.wait_ms) != -EINTR;
        if (verdict.kind == VERDICT_WAIT)
            return false;
    }
}
