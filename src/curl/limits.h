/*
 * Which limit of a policy holds for a transfer: the policy's times and the moments that they count from in,
 * a moment out. Moments are monotonic microseconds, 0 being none.
 */
#ifndef GUSSET_CURL_LIMITS_H
#define GUSSET_CURL_LIMITS_H

#include <stdbool.h>

#include "core/policy.h"
#include "curl/deadline.h"

/* Of two moments the nearer one that is there. */
static inline uint64_t limits_earlier_us(uint64_t a_us, uint64_t b_us)
{
    if (!a_us || !b_us)
        return a_us ? a_us : b_us;
    return a_us < b_us ? a_us : b_us;
}

/* The whole call must be over, or its reply have begun to reach the program. */
uint64_t limits_total_us(const struct policy_timeouts *limits, const struct deadline *deadline);

/* The reply must have begun, as long as nothing of it is there. */
uint64_t limits_reply_us(const struct policy_timeouts *limits, const struct deadline *deadline,
                         bool is_long_upload);

/* The next byte of a reply that reaches the program must have come. */
uint64_t limits_body_us(const struct policy_timeouts *limits, const struct deadline *deadline);

/* No limit of an attempt that begins can end earlier than this. */
uint64_t limits_first_us(const struct policy_timeouts *limits, const struct deadline *deadline);

/*
 * The shortest of all; 0: none. Each counts from the attempt's start or later, in a call that has waited for
 * nothing before it: so long after that, none can have passed.
 */
uint32_t limits_shortest_ms(const struct policy_timeouts *limits);

#endif
