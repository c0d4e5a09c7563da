/*
 * Bucket = octave × 4 + quarter, read off the number's highest three bits (as in HdrHistogram): 64, 80,
 * 96, 112, 128, 160, … µs. The first bucket also takes what is shorter, the last what is longer.
 */
#include "report/histogram.h"

enum { FIRST_SHIFT = 6, /* 64 µs */ OCTAVES = LAYOUT_LATENCY_BUCKETS / 4 };

unsigned histogram_bucket(uint64_t us)
{
    if (us < 1u << FIRST_SHIFT)
        return 0;
    if (us >= (uint64_t)1 << (FIRST_SHIFT + OCTAVES))
        return LAYOUT_LATENCY_BUCKETS - 1;
    const unsigned shift = 61u - (unsigned)__builtin_clzll(us); /* leaves the highest three bits, 4..7: */
    return (shift + 2 - FIRST_SHIFT) * 4 - 4 + (unsigned)(us >> shift); /* the quarter, and 4 too many */
}

uint64_t histogram_floor_us(unsigned bucket)
{
    if (bucket == 0)
        return 0;
    if (bucket > LAYOUT_LATENCY_BUCKETS)
        bucket = LAYOUT_LATENCY_BUCKETS; /* the end of the last bucket */
    return (uint64_t)(4 + bucket % 4) << (bucket / 4 + FIRST_SHIFT - 2);
}

void histogram_add(_Atomic uint32_t *buckets, uint64_t us)
{
    atomic_fetch_add_explicit(&buckets[histogram_bucket(us)], 1, memory_order_relaxed);
}

uint64_t histogram_quantile_us(const uint32_t *buckets, double q)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++)
        total += buckets[i];
    if (total == 0)
        return 0;
    const double rank = q >= 1 ? (double)total : q > 0 ? q * (double)total : 0;
    uint64_t below = 0;
    unsigned last = 0;
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++) {
        if (buckets[i] == 0)
            continue;
        last = i;
        if ((double)(below + buckets[i]) >= rank)
            break;
        below += buckets[i];
    }
    const double low = (double)histogram_floor_us(last);
    const double high = (double)histogram_floor_us(last + 1);
    const double part = (rank - (double)below) / (double)buckets[last];
    return (uint64_t)(low + (high - low) * (part < 0 ? 0 : part > 1 ? 1 : part));
}

uint64_t histogram_within(const uint32_t *buckets, uint64_t us)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS && histogram_floor_us(i) < us; i++) {
        const uint64_t low = histogram_floor_us(i), width = histogram_floor_us(i + 1) - low;
        count += us - low < width ? buckets[i] * (us - low) / width : buckets[i];
    }
    return count;
}

uint64_t histogram_sum_us(const uint32_t *buckets)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++)
        sum += (histogram_floor_us(i) + histogram_floor_us(i + 1)) / 2 * buckets[i];
    return sum;
}
