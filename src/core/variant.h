/*
 * Which of a rule's variants a member takes: its draw, a hash that never changes, falls into an interval
 * of [0, sum of the weights). The share of a variant with a ramp grows from nothing to its weight; whoever
 * falls into the part of its interval that is not yet its own is dealt among those without a ramp by a second
 * part of the draw. So members only ever move from the others to the ramped one, and each of them once.
 */
#ifndef GUSSET_CORE_VARIANT_H
#define GUSSET_CORE_VARIANT_H

#include <stdbool.h>
#include <stdint.h>

enum { VARIANT_WEIGHT_MOST = 1000000, VARIANT_MOST = 32 };

struct variant {
    uint32_t weight;  /* at most VARIANT_WEIGHT_MOST; not all of those without a ramp have 0 */
    uint32_t policy;  /* whatever the caller numbers by it */
    uint32_t ramp_ms; /* 0: none */
};

/*
 * The number of the variant that a draw falls to, age_ms after the ramps began; at most VARIANT_MOST of them
 * are looked at. 0 where the weights are nothing, which no compiled rule says.
 */
uint32_t variant_choose(const struct variant *variants, uint32_t count, uint64_t draw, uint64_t age_ms);

/* The share that a variant has now, in hundredths of a percent. */
uint32_t variant_share_bp(const struct variant *variants, uint32_t count, uint32_t index, uint64_t age_ms);

/* Whether shares will still change. */
bool variant_is_moving(const struct variant *variants, uint32_t count, uint64_t age_ms);

#endif
