#include "core/window.h"

enum { COUNT_BITS = WINDOW_COUNT_BITS, COUNT_MAX = (1 << COUNT_BITS) - 1, SLICE_MASK = (1 << 24) - 1 };

static uint32_t all_of(uint64_t word)
{
    return word >> COUNT_BITS & COUNT_MAX;
}

static uint32_t marked_of(uint64_t word)
{
    return word & COUNT_MAX;
}

/* Whatever its slice: a word of zeros says slice 0, which is near the highest one. */
static bool is_empty(uint64_t word)
{
    return all_of(word) == 0 && marked_of(word) == 0;
}

/* How many slices the word is older than slice, modulo 2^24: a word of the future is very old. */
static uint32_t age_of(uint64_t word, uint64_t slice)
{
    return (uint32_t)(slice - (word >> 2 * COUNT_BITS)) & SLICE_MASK;
}

static uint64_t add_saturating(uint32_t count, uint32_t more)
{
    return more > COUNT_MAX - count ? COUNT_MAX : count + more;
}

uint64_t window_add(uint64_t word, uint64_t slice, uint32_t all, uint32_t marked)
{
    uint32_t age = age_of(word, slice);

    /* A caller that was held up must not wipe out what others have begun to count since. */
    if (age >= SLICE_MASK + 1 - WINDOW_SLOTS && !is_empty(word))
        return word;
    if (age != 0)
        word = 0;
    return (slice & SLICE_MASK) << 2 * COUNT_BITS | add_saturating(all_of(word), all) << COUNT_BITS |
           add_saturating(marked_of(word), marked);
}

struct window_sum window_read(uint64_t word, uint64_t slice)
{
    if (age_of(word, slice) >= WINDOW_SLOTS)
        return (struct window_sum){0, 0};
    return (struct window_sum){all_of(word), marked_of(word)};
}
