#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dice.h"
#include "report/histogram.h"

static void each_bucket_begins_where_its_floor_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++) {
        const uint64_t floor_us = histogram_floor_us(i);
        assert_int_equal(histogram_bucket(floor_us), i);
        if (i > 0)
            assert_int_equal(histogram_bucket(floor_us - 1), i - 1);
    }
}

static void four_buckets_make_an_octave_from_64_us(void **state)
{
    (void)state;
    assert_int_equal(histogram_floor_us(1), 80);
    assert_int_equal(histogram_floor_us(2), 96);
    assert_int_equal(histogram_floor_us(3), 112);
    assert_int_equal(histogram_floor_us(4), 128);
    assert_int_equal(histogram_floor_us(8), 256);
    assert_int_equal(histogram_floor_us(LAYOUT_LATENCY_BUCKETS), (uint64_t)1 << 30); /* 17.9 minutes */
}

static void durations_beyond_the_range_fall_into_the_outer_buckets(void **state)
{
    (void)state;
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(63), 0);
    assert_int_equal(histogram_bucket(((uint64_t)1 << 30) - 1), LAYOUT_LATENCY_BUCKETS - 1);
    assert_int_equal(histogram_bucket((uint64_t)1 << 30), LAYOUT_LATENCY_BUCKETS - 1);
    assert_int_equal(histogram_bucket(UINT64_MAX), LAYOUT_LATENCY_BUCKETS - 1);
    assert_int_equal(histogram_floor_us(UINT32_MAX), (uint64_t)1 << 30);
}

static void nothing_counted_has_quantile_zero(void **state)
{
    (void)state;
    const uint32_t buckets[LAYOUT_LATENCY_BUCKETS] = {0};
    assert_int_equal(histogram_quantile_us(buckets, 0.5), 0);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void quantiles_are_right_within_a_fifth(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static uint64_t durations[COUNT];
    _Atomic uint32_t shared[LAYOUT_LATENCY_BUCKETS];
    uint32_t buckets[LAYOUT_LATENCY_BUCKETS];
    uint64_t x = DICE_SEED;
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++)
        atomic_init(&shared[i], 0);
    for (unsigned i = 0; i < COUNT; i++) {
        /* from microseconds to minutes */
        durations[i] = 64 + (dice_next(&x) >> 20) % ((uint64_t)1 << (7 + i % 22));
        histogram_add(shared, durations[i]);
    }
    qsort(durations, COUNT, sizeof durations[0], compare);
    for (unsigned i = 0; i < LAYOUT_LATENCY_BUCKETS; i++)
        buckets[i] = shared[i];
    for (unsigned percent = 1; percent <= 100; percent++) {
        const double right = (double)durations[percent * COUNT / 100 - 1];
        const double told = (double)histogram_quantile_us(buckets, percent / 100.0);
        assert_true(told >= right * 0.8 - 1 && told <= right * 1.2 + 1);
    }
}

static void quantiles_outside_of_0_to_1_are_the_outer_ones(void **state)
{
    (void)state;
    uint32_t buckets[LAYOUT_LATENCY_BUCKETS] = {0};
    buckets[8] = 2;
    buckets[12] = UINT32_MAX;
    assert_int_equal(histogram_quantile_us(buckets, -1), histogram_floor_us(8));
    assert_int_equal(histogram_quantile_us(buckets, __builtin_nan("")), histogram_floor_us(8));
    assert_int_equal(histogram_quantile_us(buckets, 1), histogram_floor_us(13));
    assert_int_equal(histogram_quantile_us(buckets, 7), histogram_floor_us(13));
    memset(buckets, 0xff, sizeof buckets);
    assert_int_equal(histogram_quantile_us(buckets, 1), (uint64_t)1 << 30);
}

static void counts_and_sums_are_right_within_a_bucket_and_never_fall(void **state)
{
    (void)state;
    uint32_t buckets[LAYOUT_LATENCY_BUCKETS] = {0};
    assert_int_equal(histogram_within(buckets, 5000), 0);
    assert_int_equal(histogram_sum_us(buckets), 0);
    uint64_t within = 0, sum = 0;
    for (unsigned i = 0; i < 1000; i++) {
        buckets[histogram_bucket(i < 500 ? 1000 : 100000)]++;
        assert_true(histogram_within(buckets, 97000) >= within);
        assert_true(histogram_sum_us(buckets) > sum);
        within = histogram_within(buckets, 97000);
        sum = histogram_sum_us(buckets);
    }
    assert_int_equal(histogram_within(buckets, 5000), 500);
    assert_int_equal(histogram_within(buckets, 200000), 1000);
    assert_true(within >= 500 && within <= 1000);         /* 97 ms lies in the bucket of 100 ms */
    assert_true(sum > 500 * 85850 && sum < 500 * 116150); /* 101 ms, give or take 15 % */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bucket_begins_where_its_floor_says),
        cmocka_unit_test(four_buckets_make_an_octave_from_64_us),
        cmocka_unit_test(durations_beyond_the_range_fall_into_the_outer_buckets),
        cmocka_unit_test(nothing_counted_has_quantile_zero),
        cmocka_unit_test(quantiles_are_right_within_a_fifth),
        cmocka_unit_test(quantiles_outside_of_0_to_1_are_the_outer_ones),
        cmocka_unit_test(counts_and_sums_are_right_within_a_bucket_and_never_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
