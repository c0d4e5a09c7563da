/* core/limit: a token bucket on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limit.h"
#include "dice.h"

static const uint64_t second_us = 1000000;

/* Goes at once, or not at all. */
static bool goes(uint64_t *word, const struct limit_rule *rule, uint64_t now_us)
{
    uint64_t next;

    if (limit_take(*word, rule, now_us, &next) > 0)
        return false;
    *word = next;
    return true;
}

static void limit_lets_a_burst_go_and_then_one_an_interval(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 60, .per_ms = 60000, .burst = 5};
    uint64_t word = 0, now_us = 100 * second_us, next;

    for (int i = 0; i < 5; i++)
        assert_true(goes(&word, &rule, now_us));
    assert_int_equal(limit_take(word, &rule, now_us, &next), second_us);
    assert_false(goes(&word, &rule, now_us + second_us - 1));
    assert_true(goes(&word, &rule, now_us + second_us));
    assert_false(goes(&word, &rule, now_us + second_us));
}

/* Ten callers, one bucket of 30 calls a minute and bursts of 5. */
static void limit_admits_ten_callers_within_one_call_of_the_rate(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 30, .per_ms = 60000, .burst = 5};
    uint64_t word = 0, start_us = 12345678;
    int admitted = 0;

    for (uint64_t at_us = 0; at_us < 60 * second_us; at_us += 10000)
        for (int caller = 0; caller < 10; caller++)
            admitted += goes(&word, &rule, start_us + at_us + dice() % 1000);
    assert_in_range(admitted, 30 + 5 - 1, 30 + 5 + 1);

    admitted = 0; /* the burst is spent: the next minute holds the rate alone */
    for (uint64_t at_us = 60 * second_us; at_us < 120 * second_us; at_us += 10000)
        for (int caller = 0; caller < 10; caller++)
            admitted += goes(&word, &rule, start_us + at_us + dice() % 1000);
    assert_in_range(admitted, 30 - 1, 30 + 1);
}

static void limit_gives_each_waiting_caller_a_place_of_its_own(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 1, .per_ms = 1000, .burst = 1, .wait_ms = 10000};
    uint64_t word = 0, now_us = 5 * second_us;

    for (uint64_t i = 0; i <= 10; i++) {
        uint64_t next;
        assert_int_equal(limit_take(word, &rule, now_us, &next), i * second_us);
        word = next;
    }
    assert_false(goes(&word, &rule, now_us + 10 * second_us));
    assert_true(goes(&word, &rule, now_us + 11 * second_us));
}

static void limit_reserves_nothing_unless_the_word_is_stored(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 1, .per_ms = 1000, .burst = 1};
    uint64_t word = 0, now_us = 5 * second_us;

    assert_true(goes(&word, &rule, now_us));
    for (int i = 0; i < 100; i++)
        assert_false(goes(&word, &rule, now_us + 1));
    assert_true(goes(&word, &rule, now_us + second_us));
}

static void limit_counts_tokens_left(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 60, .per_ms = 60000, .burst = 5};
    uint64_t word = 0, now_us = 100 * second_us;

    for (uint32_t left = 5; left > 0; left--) {
        assert_int_equal(limit_tokens(word, &rule, now_us), left);
        assert_true(goes(&word, &rule, now_us));
    }
    assert_int_equal(limit_tokens(word, &rule, now_us), 0);
    assert_int_equal(limit_tokens(word, &rule, now_us + 2 * second_us), 2);
    assert_int_equal(limit_tokens(word, &rule, now_us + 3600 * second_us), 5);
}

static void limit_takes_a_word_beyond_an_empty_bucket_for_a_full_one(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 60, .per_ms = 60000, .burst = 5};
    uint64_t word = UINT64_MAX, now_us = 100 * second_us;

    assert_int_equal(limit_tokens(word, &rule, now_us), 5);
    for (int i = 0; i < 5; i++)
        assert_true(goes(&word, &rule, now_us));
    assert_false(goes(&word, &rule, now_us));
}

/* Another caller, with a later clock, took the last token: that is no damage, and no new burst. */
static void limit_is_not_fooled_by_a_callers_late_clock(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 60, .per_ms = 60000, .burst = 5};
    uint64_t word = 0, now_us = 100 * second_us;

    for (int i = 0; i < 5; i++)
        assert_true(goes(&word, &rule, now_us));
    for (uint64_t late_us = 1; late_us < 5 * second_us; late_us *= 3)
        assert_false(goes(&word, &rule, now_us - late_us));
}

static void limit_never_exceeds_a_rate_that_does_not_divide(void **state)
{
    (void)state;
    const struct limit_rule rule = {.rate = 7, .per_ms = 1000, .burst = 1};
    uint64_t word = 0;
    int admitted = 0;

    for (uint64_t now_us = second_us; now_us < 101 * second_us; now_us += 100)
        admitted += goes(&word, &rule, now_us);
    assert_in_range(admitted, 698, 700);
}

static uint32_t any_size(void)
{
    return (uint32_t)(dice() >> (32 + dice() % 33) % 64);
}

/* Whatever word and rule: it answers within what an empty bucket and a full queue explain, and moves on. */
static void limit_gets_out_of_any_damaged_word(void **state)
{
    (void)state;

    for (int i = 0; i < 300000; i++) {
        struct limit_rule rule = {any_size(), any_size(), any_size(), any_size()};
        uint64_t now_us = dice() >> (2 + dice() % 40), next;
        uint64_t word = dice() % 2 ? dice() : now_us + dice() % (100 * second_us) - 50 * second_us;
        uint64_t delay_us = limit_take(word, &rule, now_us, &next);
        uint64_t interval_us = rule.per_ms * UINT64_C(1000) / (rule.rate ? rule.rate : 1) + 1;

        assert_true(delay_us <= interval_us + rule.wait_ms * UINT64_C(1000) + 5 * second_us);
        assert_true(next > now_us);
        assert_true(limit_tokens(word, &rule, now_us) <= (rule.burst ? rule.burst : 1));
        assert_int_equal(delay_us == 0, limit_tokens(word, &rule, now_us) > 0);
    }
}

static void limit_survives_the_largest_rule(void **state)
{
    (void)state;
    const struct limit_rule slow = {
        .rate = 1, .per_ms = UINT32_MAX, .burst = UINT32_MAX, .wait_ms = UINT32_MAX};
    const struct limit_rule fast = {.rate = UINT32_MAX, .per_ms = 1, .burst = 1};
    uint64_t word = 0, now_us = second_us;

    for (int i = 0; i < 1000; i++)
        assert_true(goes(&word, &slow, now_us));
    word = 0;
    assert_true(goes(&word, &fast, now_us));
    assert_false(goes(&word, &fast, now_us)); /* one a microsecond is the fastest there is */
    assert_true(goes(&word, &fast, now_us + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_lets_a_burst_go_and_then_one_an_interval),
        cmocka_unit_test(limit_admits_ten_callers_within_one_call_of_the_rate),
        cmocka_unit_test(limit_gives_each_waiting_caller_a_place_of_its_own),
        cmocka_unit_test(limit_reserves_nothing_unless_the_word_is_stored),
        cmocka_unit_test(limit_counts_tokens_left),
        cmocka_unit_test(limit_takes_a_word_beyond_an_empty_bucket_for_a_full_one),
        cmocka_unit_test(limit_is_not_fooled_by_a_callers_late_clock),
        cmocka_unit_test(limit_never_exceeds_a_rate_that_does_not_divide),
        cmocka_unit_test(limit_gets_out_of_any_damaged_word),
        cmocka_unit_test(limit_survives_the_largest_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
