/* core/window: slots that empty themselves. A window here is ten words and a helper that adds them up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/window.h"

enum { WINDOW_MS = 30000 };

struct ring {
    uint64_t words[WINDOW_SLOTS];
};

static void count(struct ring *ring, uint64_t now_ms, uint32_t all, uint32_t marked)
{
    uint64_t slice = window_slice(now_ms, WINDOW_MS);
    uint64_t *word = &ring->words[window_index(slice)];
    *word = window_add(*word, slice, all, marked);
}

static struct window_sum sum(const struct ring *ring, uint64_t now_ms)
{
    struct window_sum total = {0, 0};

    for (int i = 0; i < WINDOW_SLOTS; i++) {
        struct window_sum one = window_read(ring->words[i], window_slice(now_ms, WINDOW_MS));
        total.all += one.all;
        total.marked += one.marked;
    }
    return total;
}

static void window_counts_what_happened_in_it(void **state)
{
    (void)state;
    struct ring ring = {{0}};

    for (uint64_t now_ms = 90000; now_ms < 120000; now_ms += 1000)
        count(&ring, now_ms, 1, now_ms % 3000 == 0);
    assert_int_equal(sum(&ring, 119999).all, 30);
    assert_int_equal(sum(&ring, 119999).marked, 10);
}

static void window_forgets_slice_by_slice(void **state)
{
    (void)state;
    struct ring ring = {{0}};

    for (uint64_t now_ms = 0; now_ms < 30000; now_ms += 3000)
        count(&ring, now_ms, 1, 1);
    for (uint32_t gone = 0; gone <= WINDOW_SLOTS; gone++) {
        assert_int_equal(sum(&ring, 29999 + gone * 3000).all, WINDOW_SLOTS - gone);
        assert_int_equal(sum(&ring, 29999 + gone * 3000).marked, WINDOW_SLOTS - gone);
    }
}

static void window_drops_an_old_slice_when_its_slot_is_used_again(void **state)
{
    (void)state;
    struct ring ring = {{0}};

    count(&ring, 1000, 7, 5);
    count(&ring, 31000, 1, 0);
    assert_int_equal(sum(&ring, 31000).all, 1);
    assert_int_equal(sum(&ring, 31000).marked, 0);
}

static void window_is_empty_at_first_at_any_time(void **state)
{
    (void)state;
    struct ring ring = {{0}};

    for (uint64_t now_ms = 1; now_ms != 0; now_ms <<= 1) {
        assert_int_equal(sum(&ring, now_ms).all, 0);
        assert_int_equal(sum(&ring, now_ms).marked, 0);
    }
}

static void window_counts_end_instead_of_spilling_over(void **state)
{
    (void)state;
    const uint32_t most = (1 << 20) - 1;
    uint64_t word = window_add(0, 5, most - 1, UINT32_MAX);

    assert_int_equal(window_read(word, 5).all, most - 1);
    assert_int_equal(window_read(word, 5).marked, most);
    word = window_add(window_add(word, 5, 1, 1), 5, 1, 1);
    assert_int_equal(window_read(word, 5).all, most);
    assert_int_equal(window_read(word, 5).marked, most);
}

static void window_reads_nothing_from_the_future(void **state)
{
    (void)state;
    uint64_t word = window_add(0, 100, 3, 2);

    assert_int_equal(window_read(word, 100).all, 3);
    assert_int_equal(window_read(word, 99).all, 0);
    assert_int_equal(window_read(word, 99).marked, 0);
}

/* A caller that read the clock, slept, and found its slot taken by a later slice. */
static void window_keeps_a_newer_slice_from_a_late_caller(void **state)
{
    (void)state;
    uint64_t word = window_add(0, 20, 3, 2);

    assert_true(window_add(word, 10, 1, 1) == word);
    word = window_add(0, 20, 3, 0);
    assert_true(window_add(word, 19, 1, 1) == word);
    word = window_add(0, 20, 0, 3);
    assert_true(window_add(word, 19, 1, 1) == word);
}

static void window_replaces_a_slice_from_far_ahead(void **state)
{
    (void)state;

    for (uint64_t ahead = WINDOW_SLOTS + 1; ahead < 5000; ahead++) {
        uint64_t word = window_add(window_add(0, 10 + ahead, 3, 2), 10, 1, 0);
        assert_int_equal(window_read(word, 10).all, 1);
        assert_int_equal(window_read(word, 10).marked, 0);
    }
}

static void window_slices_wrap_unnoticed(void **state)
{
    (void)state;
    const uint64_t wrap = UINT64_C(1) << 24;
    uint64_t word = window_add(0, wrap - 1, 3, 2);

    assert_int_equal(window_read(word, wrap + 8).all, 3);
    assert_int_equal(window_read(word, wrap + 9).all, 0);
}

static void window_divides_time_evenly(void **state)
{
    (void)state;

    assert_int_equal(window_slice(29999, 30000), 9);
    assert_int_equal(window_slice(30000, 30000), 10);
    assert_int_equal(window_index(9), 9);
    assert_int_equal(window_index(10), 0);
    assert_int_equal(window_slice(7, 0), 7); /* no window divides by nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_counts_what_happened_in_it),
        cmocka_unit_test(window_forgets_slice_by_slice),
        cmocka_unit_test(window_drops_an_old_slice_when_its_slot_is_used_again),
        cmocka_unit_test(window_is_empty_at_first_at_any_time),
        cmocka_unit_test(window_counts_end_instead_of_spilling_over),
        cmocka_unit_test(window_reads_nothing_from_the_future),
        cmocka_unit_test(window_keeps_a_newer_slice_from_a_late_caller),
        cmocka_unit_test(window_replaces_a_slice_from_far_ahead),
        cmocka_unit_test(window_slices_wrap_unnoticed),
        cmocka_unit_test(window_divides_time_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
