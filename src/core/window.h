/*
 * The last seconds, counted in slots: each slot is one 64-bit word with the number of its time slice,
 * so a slot whose slice has passed counts as empty and nobody has to clear it. Two numbers a slot:
 * how many, and how many of them were marked (failures, or retries).
 *
 * Word: slice number 24 bits | all 20 bits | marked 20 bits; both counts saturate.
 */
#ifndef GUSSET_CORE_WINDOW_H
#define GUSSET_CORE_WINDOW_H

#include <stdint.h>

enum { WINDOW_SLOTS = 10 };

struct window_sum {
    uint32_t all;
    uint32_t marked;
};

/* Which slice now_ms falls into, when WINDOW_SLOTS slices make a window of window_ms (>= WINDOW_SLOTS). */
uint64_t window_slice(uint64_t now_ms, uint32_t window_ms);

/* The word index of a slice: 0..WINDOW_SLOTS-1. */
unsigned window_index(uint64_t slice);

/*
 * The word with the counts added; an old slice's counts are dropped first. A word of one of the next
 * WINDOW_SLOTS slices is returned as it is: the caller was held up, and its slice is history by now.
 */
uint64_t window_add(uint64_t word, uint64_t slice, uint32_t all, uint32_t marked);

/* What one word says about the window that ends with slice: zero when it is too old or of the future. */
struct window_sum window_read(uint64_t word, uint64_t slice);

#endif
