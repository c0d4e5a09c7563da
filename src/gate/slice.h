/*
 * Counting into a window of a slot's (core/window.h): where its current slice lies is the same for many
 * calls, and dear to compute.
 */
#ifndef GUSSET_GATE_SLICE_H
#define GUSSET_GATE_SLICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/window.h"

struct slice {
    uint64_t from_us;  /* monotonic */
    uint64_t width_us; /* 0: nothing is known */
    uint64_t number;
    _Atomic uint64_t *word;
};

/*
 * Counts in one addition where the slice of now_us is the one that was counted in last; returns false, and
 * counts nothing, where it is not. The word may become another slice's in between: then that one counts it.
 */
static inline bool slice_count_now(struct slice *slice, uint64_t now_us, uint32_t all, uint32_t marked)
{
    if (now_us - slice->from_us >= slice->width_us)
        return false;
    if (!window_has_room(atomic_load_explicit(slice->word, memory_order_relaxed), slice->number))
        return false;
    atomic_fetch_add_explicit(slice->word, window_counts(all, marked), memory_order_relaxed);
    return true;
}

void slice_count_anew(struct slice *slice, _Atomic uint64_t *words, uint32_t window_ms, uint64_t now_us,
                      uint32_t all, uint32_t marked);

/* Counts in the slice of now_us, whichever that is. window_ms >= WINDOW_SLOTS. */
static inline void slice_count(struct slice *slice, _Atomic uint64_t *words, uint32_t window_ms,
                               uint64_t now_us, uint32_t all, uint32_t marked)
{
    if (!slice_count_now(slice, now_us, all, marked))
        slice_count_anew(slice, words, window_ms, now_us, all, marked);
}

struct window_sum slice_sum(_Atomic uint64_t *words, uint32_t window_ms, uint64_t now_ms);

#endif
