#include "gate/slice.h"

static void find(struct slice *slice, _Atomic uint64_t *words, uint32_t window_ms, uint64_t now_us)
{
    uint64_t width_ms = window_width_ms(window_ms);

    slice->number = window_slice(now_us / 1000, window_ms);
    slice->from_us = slice->number * width_ms * 1000;
    slice->width_us = width_ms * 1000;
    slice->word = &words[window_index(slice->number)];
}

void slice_count_anew(struct slice *slice, _Atomic uint64_t *words, uint32_t window_ms, uint64_t now_us,
                      uint32_t all, uint32_t marked)
{
    if (now_us - slice->from_us >= slice->width_us)
        find(slice, words, window_ms, now_us);
    uint64_t old = atomic_load_explicit(slice->word, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(slice->word, &old,
                                                  window_add(old, slice->number, all, marked),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

struct window_sum slice_sum(_Atomic uint64_t *words, uint32_t window_ms, uint64_t now_ms)
{
    uint64_t slice = window_slice(now_ms, window_ms);
    struct window_sum sum = {0};

    for (int i = 0; i < WINDOW_SLOTS; i++) {
        struct window_sum slot = window_read(atomic_load_explicit(&words[i], memory_order_relaxed), slice);
        sum.all += slot.all;
        sum.marked += slot.marked;
    }
    return sum;
}
