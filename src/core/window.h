/*
 * The last seconds, counted in slots: each slot is one 64-bit word with the number of its time slice,
 * so a slot whose slice has passed counts as empty and nobody has to clear it. Two numbers a slot:
 * how many, and how many of them were marked (failures, or retries).
 *
 * Word: slice number 24 bits | all 20 bits | marked 20 bits; both counts saturate.
 */
#ifndef GUSSET_CORE_WINDOW_H
#define GUSSET_CORE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_SLOTS = 10, WINDOW_COUNT_BITS = 20 };

struct window_sum {
    uint32_t all;
    uint32_t marked;
};

/* How long a slice of the window lasts. */
static inline uint32_t window_width_ms(uint32_t window_ms)
{
    return window_ms >= WINDOW_SLOTS ? window_ms / WINDOW_SLOTS : 1;
}

/* Which slice now_ms falls into, when WINDOW_SLOTS slices make a window of window_ms (>= WINDOW_SLOTS). */
static inline uint64_t window_slice(uint64_t now_ms, uint32_t window_ms)
{
    return now_ms / window_width_ms(window_ms);
}

/* The word index of a slice: 0..WINDOW_SLOTS-1. */
static inline unsigned window_index(uint64_t slice)
{
    return (unsigned)(slice % WINDOW_SLOTS);
}

/*
 * The word with the counts added; an old slice's counts are dropped first. A word of one of the next
 * WINDOW_SLOTS slices is returned as it is: the caller was held up, and its slice is history by now.
 */
uint64_t window_add(uint64_t word, uint64_t slice, uint32_t all, uint32_t marked);

/* Whether the word is of this slice, and neither count is past its half: then window_counts may be added. */
static inline bool window_has_room(uint64_t word, uint64_t slice)
{
    const uint64_t halves = UINT64_C(1) << (2 * WINDOW_COUNT_BITS - 1) | UINT64_C(1)
                                                                             << (WINDOW_COUNT_BITS - 1);
    const uint64_t counts = (UINT64_C(1) << 2 * WINDOW_COUNT_BITS) - 1;

    return ((word ^ slice << 2 * WINDOW_COUNT_BITS) & (~counts | halves)) == 0;
}

/* What to add to a word for so many, each at most half of what a word can count. */
static inline uint64_t window_counts(uint32_t all, uint32_t marked)
{
    return (uint64_t)all << WINDOW_COUNT_BITS | marked;
}

/* What of a word to keep so that nothing in it is marked any more. */
static inline uint64_t window_unmarked(void)
{
    return ~((UINT64_C(1) << WINDOW_COUNT_BITS) - 1);
}

/* What one word says about the window that ends with slice: zero when it is too old or of the future. */
struct window_sum window_read(uint64_t word, uint64_t slice);

#endif
