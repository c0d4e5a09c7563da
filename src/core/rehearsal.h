/*
 * Faults that are rehearsed: what a rule does to a share of its attempts, until a given time, so that a
 * program's owner sees what an outage would do to it.
 */
#ifndef GUSSET_CORE_REHEARSAL_H
#define GUSSET_CORE_REHEARSAL_H

#include <stdbool.h>
#include <stdint.h>

/* What becomes of an attempt; from REHEARSAL_STATUS on, it is the status of the reply. */
enum rehearsal_error {
    REHEARSAL_NONE,    /* it is made, after the delay */
    REHEARSAL_REFUSE,  /* as a connection that is refused */
    REHEARSAL_RESET,   /* as one that is reset before a reply */
    REHEARSAL_TIMEOUT, /* as a server that says nothing */
    REHEARSAL_CUT,     /* it is made, and its body breaks off */
    REHEARSAL_STATUS = 400,
    REHEARSAL_LAST = 599
};

struct rehearsal_rule {
    uint32_t percent_bp; /* hundredths of a percent of the attempts */
    uint32_t error;      /* enum rehearsal_error, or a status */
    uint32_t delay_ms;
    uint32_t after;   /* bytes of the body that go before a cut */
    uint32_t until_s; /* seconds since 1970; past it nothing is done */
};

static inline bool rehearsal_is_over(const struct rehearsal_rule *rule, uint64_t unix_s)
{
    return unix_s >= rule->until_s;
}

/* Whether the attempt is struck, by a throw of the dice: any 32 bits. */
static inline bool rehearsal_strikes(const struct rehearsal_rule *rule, uint32_t dice)
{
    return ((uint64_t)dice * 10000 >> 32) < rule->percent_bp;
}

#endif
