#include "core/limit.h"

/*
 * Callers read the clock one by one and are then held up: a word may lie ahead of a late caller's now
 * by more than any bucket, and is sound. Only what is further off than this is a jump or damage.
 */
static const uint64_t slack_us = 5000000;

/* Where products end: far past every clock, and two of them still add up. */
static const uint64_t far_us = UINT64_C(1) << 62;

/* Microseconds from one token to the next, rounded up: the rate is never exceeded. */
static uint64_t interval_us(const struct limit_rule *rule)
{
    uint64_t rate = rule->rate > 0 ? rule->rate : 1;
    uint64_t interval = (rule->per_ms * UINT64_C(1000) + rate - 1) / rate;
    return interval > 0 ? interval : 1;
}

static uint32_t burst_of(const struct limit_rule *rule)
{
    return rule->burst > 0 ? rule->burst : 1;
}

static uint64_t times(uint64_t interval, uint32_t count)
{
    return count > far_us / interval ? far_us : interval * count;
}

/* How far the word lies ahead of now: 0 is a full bucket, an interval a missing token. */
static uint64_t ahead_us(uint64_t word, const struct limit_rule *rule, uint64_t now_us)
{
    uint64_t empty_us = times(interval_us(rule), burst_of(rule));
    uint64_t waiting_us = rule->wait_ms * UINT64_C(1000);
    uint64_t ahead = word > now_us ? word - now_us : 0;

    return ahead > empty_us + waiting_us + slack_us ? 0 : ahead;
}

uint64_t limit_take(uint64_t word, const struct limit_rule *rule, uint64_t now_us, uint64_t *next)
{
    uint64_t interval = interval_us(rule);
    uint64_t tolerance = times(interval, burst_of(rule) - 1);
    uint64_t ahead = ahead_us(word, rule, now_us);

    *next = now_us + ahead + interval;
    return ahead > tolerance ? ahead - tolerance : 0;
}

uint32_t limit_tokens(uint64_t word, const struct limit_rule *rule, uint64_t now_us)
{
    uint64_t interval = interval_us(rule);
    uint64_t empty = times(interval, burst_of(rule));
    uint64_t ahead = ahead_us(word, rule, now_us);

    return ahead < empty ? (uint32_t)((empty - ahead) / interval) : 0;
}
