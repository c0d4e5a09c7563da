/*
 * A token bucket in one word, by the generic cell rate algorithm (ITU-T I.371): the word is the
 * theoretical arrival time of the next call in microseconds. A call that comes no earlier than that
 * time less the burst tolerance conforms, and moves the word on by one interval.
 * Example: rate 60 per 60 s, burst 5: interval 1 s, tolerance 4 s; five calls go at once, then one a second.
 */
#ifndef GUSSET_CORE_LIMIT_H
#define GUSSET_CORE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct limit_rule {
    uint32_t rate;    /* calls per period, >= 1 */
    uint32_t per_ms;  /* period */
    uint32_t burst;   /* calls that may come at once, >= 1 */
    uint32_t wait_ms; /* how long a call may be kept waiting for its token; 0: none */
};

/*
 * Asks for one token at now_us. Returns 0 and sets *next to the new word when the call may go at once;
 * otherwise the microseconds after which it may, *next being the word that reserves that place (store
 * it only if the call is going to wait). A word further ahead than an empty bucket of this rule and
 * callers waiting for wait_ms explain, and 5 s more for callers held up since they read the clock, is a
 * clock's jump or damage, and counts as a full bucket.
 */
uint64_t limit_take(uint64_t word, const struct limit_rule *rule, uint64_t now_us, uint64_t *next);

/* Tokens left at now_us, 0..burst. */
uint32_t limit_tokens(uint64_t word, const struct limit_rule *rule, uint64_t now_us);

#endif
