#include "curl/limits.h"

static uint64_t after_us(uint64_t moment_us, uint32_t limit_ms)
{
    return limit_ms ? moment_us + (uint64_t)limit_ms * 1000 : 0;
}

/* The whole call, body included. */
static uint64_t transfer_us(const struct policy_timeouts *limits, const struct deadline *deadline)
{
    return after_us(deadline->call_started_us, limits->transfer_ms);
}

uint64_t limits_total_us(const struct policy_timeouts *limits, const struct deadline *deadline)
{
    uint32_t total_ms = deadline->has_begun ? 0 : limits->total_ms;

    return limits_earlier_us(after_us(deadline->call_started_us, total_ms), transfer_us(limits, deadline));
}

/*
 * Until the request is sent nobody knows whether a connection must be made first; the connecting has
 * its own limit, so the longer of the two is never too short.
 */
static uint64_t first_byte_us(const struct policy_timeouts *limits, const struct deadline *deadline,
                              bool is_long_upload)
{
    uint32_t longer_ms = limits->attempt_ms > limits->connect_ms ? limits->attempt_ms : limits->connect_ms;

    if (!limits->attempt_ms)
        return 0;
    if (deadline->sent_us)
        return after_us(deadline->sent_us, limits->attempt_ms);
    if (!limits->connect_ms || is_long_upload)
        return 0;
    return after_us(deadline->attempt_started_us, longer_ms);
}

uint64_t limits_reply_us(const struct policy_timeouts *limits, const struct deadline *deadline,
                         bool is_long_upload)
{
    if (deadline->queued_us || deadline->paused_us)
        return 0;
    uint64_t next_us = deadline->connects_us ? after_us(deadline->connects_us, limits->connect_ms)
                                             : first_byte_us(limits, deadline, is_long_upload);
    return limits_earlier_us(next_us, limits_total_us(limits, deadline));
}

uint64_t limits_body_us(const struct policy_timeouts *limits, const struct deadline *deadline)
{
    uint64_t silent_us =
        deadline->last_byte_us ? deadline->last_byte_us + (uint64_t)limits->idle_ms * 1000 : 0;

    return limits_earlier_us(transfer_us(limits, deadline), silent_us);
}

uint64_t limits_first_us(const struct policy_timeouts *limits, const struct deadline *deadline)
{
    return limits_earlier_us(after_us(deadline->attempt_started_us, limits->attempt_ms),
                             limits_total_us(limits, deadline));
}

static uint32_t shorter_ms(uint32_t a_ms, uint32_t b_ms)
{
    if (!a_ms || !b_ms)
        return a_ms ? a_ms : b_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

uint32_t limits_shortest_ms(const struct policy_timeouts *limits)
{
    return shorter_ms(shorter_ms(limits->attempt_ms, limits->total_ms),
                      shorter_ms(limits->transfer_ms, limits->idle_ms));
}
