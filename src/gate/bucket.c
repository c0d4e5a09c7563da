#include "gate/bucket.h"

#include "gate/inside.h"
#include "sys/clock.h"

/* No wait may be longer than the rule allows, or end after the call's deadline. */
static uint64_t patience_us(const struct gate_call *call, bool may_wait, uint64_t now_us)
{
    uint64_t patience = may_wait ? (uint64_t)inside_settings(call)->limit.rule.wait_ms * 1000 : 0;

    if (!call->deadline_us || now_us + patience < call->deadline_us)
        return patience;
    return now_us < call->deadline_us ? call->deadline_us - now_us : 0;
}

struct verdict bucket_ask(struct gate_call *call, bool may_wait)
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
