/*
 * A circuit breaker in one 64-bit word: closed, open, half open. The functions take the word and
 * return the word that should follow; the caller compares and swaps, and asks again when it lost.
 * No lock, no owner: a probe is a lease that runs out, so a killed prober blocks nobody.
 *
 * Word: state 2 bits | count 12 | passed 6 | opens 5 | until 39 (milliseconds, monotonic clock; 17 years)
 *   closed     count = failures in a row (saturating)
 *   open       until = when a probe may go; 0 marks "forced: until reset by hand";
 *              count = 0, or all ones where it was opened by hand: until is then not bound by the cap
 *   half open  count = probes let through, passed = probes that came back well,
 *              until = when their lease runs out, 0 while none is out; with opens the round's identity
 *   opens      how often it reopened without closing in between: each doubles the open time up to the cap
 * A fourth state says that a circuit is held closed by hand: until = when that ends; 0: when it is reset.
 *
 * Beside it a word remembers, once a circuit has closed, how long it was open (breaker_calm): one that opens
 * again soon after goes on from there; calm as long as an open time takes back the doubling that led to it.
 */
#ifndef GUSSET_CORE_BREAKER_H
#define GUSSET_CORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/outcome.h"
#include "core/window.h"

enum breaker_state { BREAKER_CLOSED = 0, BREAKER_OPEN = 1, BREAKER_HALF_OPEN = 2 };

struct breaker_rule {
    uint32_t consecutive; /* failures in a row that open, with a percentage only while the window holds fewer
                             than minimum; 0: off */
    uint32_t percent_bp;  /* failures that open, in hundredths of a percent of the window; 0: off */
    uint32_t minimum;     /* calls that the window must hold before the percentage counts */
    uint32_t window_ms;
    uint32_t open_ms;     /* first open time */
    uint32_t open_cap_ms; /* what doubling ends at, >= open_ms */
    uint32_t probes;      /* 1..63 let through a half open circuit; all must come back well to close it */
    uint32_t slow_ms;     /* an attempt that takes longer than this is slow; 0: none is */
    uint32_t slow_bp; /* slow ones that open, in hundredths of a percent of the window's (minimum counts) */
};

enum breaker_answer {
    BREAKER_ADMITS, /* closed */
    BREAKER_PROBES, /* half open: this call is a probe */
    BREAKER_REFUSES
};

struct breaker_admission {
    enum breaker_answer answer;
    uint64_t round;    /* BREAKER_PROBES: hand it to breaker_ended */
    uint64_t retry_ms; /* BREAKER_REFUSES: when it is worth asking again, from now; 0 when nobody knows */
};

/*
 * May a call go at now_ms? lease_ms (>= 1) is how long a probe may take before its place is given away.
 * Returns the word that must be stored for the answer to hold (word itself when nothing changes).
 * An until further in the future than the rule or lease_ms can have set counts as expired, 5 s being
 * granted to callers that were held up after they read the clock. When a lease runs out, the places of
 * the probes that never came back are given away; those that came back well still count.
 */
uint64_t breaker_admit(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, uint32_t lease_ms,
                       struct breaker_admission *admission);

/*
 * An attempt ended. round is that of its admission, 0 when it was no probe; window is what the last
 * window_ms hold, this attempt included. A failure of a call that was let in before the circuit opened
 * changes nothing any more. Returns the next word.
 */
uint64_t breaker_ended(uint64_t word, const struct breaker_rule *rule, uint64_t now_ms, uint64_t round,
                       bool failed, struct window_sum window);

/*
 * A circuit that opens now, after it has reopened opens times, for nine tenths of the open time at least:
 * random32 (uniform, UINT32_MAX for all of it) says, so that the circuits of many hosts, or of many machines,
 * do not all probe at the same moment.
 */
uint64_t breaker_opened(const struct breaker_rule *rule, uint64_t now_ms, uint32_t opens, uint32_t random32);

/* Whether the slow ones (marked) of the last window_ms open the circuit. */
bool breaker_is_slow(const struct breaker_rule *rule, struct window_sum slow);

/* How often an open or half open circuit has reopened; 0..31. */
uint32_t breaker_opens(uint64_t word);

/* What to remember beside a circuit that closes, having reopened opens times. */
uint64_t breaker_calm(uint64_t now_ms, uint32_t opens);

/* The opens with which a circuit that was closed since opens now, by what was remembered; 0 for nothing. */
uint32_t breaker_opens_after(uint64_t calm, const struct breaker_rule *rule, uint64_t now_ms);

/* A probe that ended without telling anything about the peer (aborted, local): its place is given back. */
uint64_t breaker_withdraw(uint64_t word, uint64_t round);

/* By hand: open for open_ms from now (0: until closed by hand), or closed. */
uint64_t breaker_forced_open(uint64_t now_ms, uint32_t open_ms);
bool breaker_is_by_hand(uint64_t word); /* whether it is open so */
static inline uint64_t breaker_closed(void)
{
    return 0;
}

/* By hand: closed for hold_ms from now (0: until reset), whatever fails. */
uint64_t breaker_held_closed(uint64_t now_ms, uint32_t hold_ms);

/* Whether it is held closed; *left_ms is for how long yet, UINT64_MAX until it is reset. */
bool breaker_is_held(uint64_t word, uint64_t now_ms, uint64_t *left_ms);

enum breaker_state breaker_state(uint64_t word);
const char *breaker_state_name(enum breaker_state state); /* "closed", "open", "half open" */

/*
 * Milliseconds from now until an open circuit lets a probe through; 0 when it would now, is closed or
 * half open; UINT64_MAX when it is open until reset by hand.
 */
uint64_t breaker_remaining_ms(uint64_t word, uint64_t now_ms);

/* Failures in a row of a closed circuit; 0 otherwise. */
uint32_t breaker_failures(uint64_t word);

#endif
