/* core/retry: how long to wait, what to repeat, and what it may cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/retry.h"
#include "dice.h"

static const struct retry_rule rule = {
    .attempts = 3, .base_ms = 500, .cap_ms = 5000, .factor_milli = 2000, .jitter = RETRY_JITTER_NONE};

static uint32_t roll(void)
{
    return (uint32_t)(dice() >> 32);
}

static struct retry_rule with_jitter(enum retry_jitter jitter)
{
    struct retry_rule changed = rule;
    changed.jitter = jitter;
    return changed;
}

/* Draws often; every one lies in low..high, both ends are met, and the mean is as said, within a percent. */
static void assert_drawn(const struct retry_rule *by, uint32_t next, uint32_t previous_ms, uint32_t low,
                         uint32_t high, double mean)
{
    enum { DRAWS = 200000 };
    double total = 0;

    for (int i = 0; i < DRAWS; i++) {
        uint32_t delay_ms = retry_delay_ms(by, next, previous_ms, roll());
        assert_in_range(delay_ms, low, high);
        total += delay_ms;
    }
    assert_true(total / DRAWS > mean * 0.99 && total / DRAWS < mean * 1.01);
    assert_int_equal(retry_delay_ms(by, next, previous_ms, 0), low);
    assert_int_equal(retry_delay_ms(by, next, previous_ms, UINT32_MAX), high);
}

static void retry_delay_grows_by_the_factor_up_to_the_cap(void **state)
{
    (void)state;
    static const uint32_t expected[] = {500, 1000, 2000, 4000, 5000, 5000};

    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(retry_delay_ms(&rule, 2 + i, 0, roll()), expected[i]);
    assert_int_equal(retry_delay_ms(&rule, UINT32_MAX, 0, 0), 5000);
    assert_int_equal(retry_delay_ms(&rule, 0, 0, 0), 500);
}

static void retry_delay_does_not_round_a_small_factor_away(void **state)
{
    (void)state;
    struct retry_rule slow = rule;

    slow.base_ms = 10;
    slow.factor_milli = 1050; /* 10 ms × 1.05^20 = 26.5 ms */
    assert_in_range(retry_delay_ms(&slow, 22, 0, 0), 25, 27);
    slow.factor_milli = 1000;
    assert_int_equal(retry_delay_ms(&slow, UINT32_MAX, 0, 0), 10);
}

static void retry_delay_survives_the_largest_rule(void **state)
{
    (void)state;

    for (int jitter = RETRY_JITTER_NONE; jitter <= RETRY_JITTER_DECORRELATED + 1; jitter++) {
        struct retry_rule huge = {.base_ms = UINT32_MAX,
                                  .cap_ms = UINT32_MAX,
                                  .factor_milli = UINT32_MAX,
                                  .jitter = (uint32_t)jitter,
                                  .amount_bp = UINT32_MAX};
        assert_int_equal(retry_delay_ms(&huge, UINT32_MAX, UINT32_MAX, UINT32_MAX), UINT32_MAX);
        huge.base_ms = huge.cap_ms - 1;
        assert_in_range(retry_delay_ms(&huge, 3, UINT32_MAX, 0), 0, UINT32_MAX);
        assert_int_equal(retry_delay_ms(&(struct retry_rule){.jitter = (uint32_t)jitter}, 9, 9, UINT32_MAX),
                         0);
    }
}

static void retry_jitter_none_is_the_delay_itself(void **state)
{
    (void)state;
    assert_drawn(&rule, 3, 0, 1000, 1000, 1000);
}

static void retry_jitter_additive_adds_up_to_its_share(void **state)
{
    (void)state;
    struct retry_rule additive = with_jitter(RETRY_JITTER_ADDITIVE);

    additive.amount_bp = 1000;
    assert_drawn(&additive, 3, 0, 1000, 1100, 1050);
    assert_drawn(&additive, 9, 0, 5000, 5000, 5000); /* never above the cap */
}

static void retry_jitter_equal_keeps_half(void **state)
{
    (void)state;
    struct retry_rule equal = with_jitter(RETRY_JITTER_EQUAL);
    assert_drawn(&equal, 3, 0, 500, 1000, 750);
}

static void retry_jitter_full_is_half_the_delay_on_average(void **state)
{
    (void)state;
    struct retry_rule full = with_jitter(RETRY_JITTER_FULL);

    assert_drawn(&full, 2, 0, 0, 500, 250);
    assert_drawn(&full, 9, 0, 0, 5000, 2500);
}

static void retry_jitter_decorrelated_grows_from_the_delay_before(void **state)
{
    (void)state;
    struct retry_rule decorrelated = with_jitter(RETRY_JITTER_DECORRELATED);

    assert_drawn(&decorrelated, 2, 0, 500, 1500, 1000);
    assert_drawn(&decorrelated, 3, 1200, 500, 3600, 2050);
    assert_drawn(&decorrelated, 4, 5000, 500, 5000, 500 + (4500.0 * 2250 + 10000.0 * 4500) / 14500);
}

static struct outcome_set set_of(const char *text)
{
    struct outcome_set set = {0};
    assert_true(outcome_set_add(&set, text, strlen(text)));
    return set;
}

static void retry_wants_what_is_in_on_and_not_in_never(void **state)
{
    (void)state;
    struct retry_rule picky = {.on = set_of("5xx"), .never = set_of("501")};
    struct outcome unavailable = outcome_of_status(503), unimplemented = outcome_of_status(501);
    struct outcome refused = outcome_of_curl(7), fine = outcome_of_status(200);

    assert_true(retry_wants(&picky, &unavailable));
    assert_false(retry_wants(&picky, &unimplemented));
    assert_false(retry_wants(&picky, &refused));
    assert_false(retry_wants(&picky, &fine));
}

/* Story: retry.on = ["aborted"] made a program say stop for each try. */
static void what_the_program_stopped_itself_is_never_tried_again(void **state)
{
    (void)state;
    struct retry_rule eager = {.on = set_of("aborted")},
                      by_name = {.on = set_of("CURLE_ABORTED_BY_CALLBACK")};
    struct outcome aborted = outcome_of_curl(42);

    assert_false(retry_wants(&eager, &aborted));
    assert_false(retry_wants(&by_name, &aborted));
}

static void retry_budget_is_a_share_of_the_calls(void **state)
{
    (void)state;
    const struct retry_rule budget = {.budget_ratio_bp = 2000};

    assert_true(retry_budget_allows(&budget, (struct window_sum){1000, 199}));
    assert_false(retry_budget_allows(&budget, (struct window_sum){1000, 200}));
    assert_false(retry_budget_allows(&budget, (struct window_sum){4, 0}));
    assert_true(retry_budget_allows(&budget, (struct window_sum){5, 0}));
}

static void retry_budget_has_a_floor_for_small_programs(void **state)
{
    (void)state;
    const struct retry_rule budget = {.budget_ratio_bp = 2000, .budget_floor = 10};

    assert_true(retry_budget_allows(&budget, (struct window_sum){1, 99})); /* ten a second over ten seconds */
    assert_false(retry_budget_allows(&budget, (struct window_sum){1, 100}));
    assert_true(retry_budget_allows(&budget, (struct window_sum){1000, 199}));
}

static void retry_budget_of_nothing_allows_nothing(void **state)
{
    (void)state;
    const struct retry_rule none = {0};
    const struct retry_rule most = {.budget_ratio_bp = UINT32_MAX, .budget_floor = UINT32_MAX};

    assert_false(retry_budget_allows(&none, (struct window_sum){UINT32_MAX, 0}));
    assert_true(retry_budget_allows(&most, (struct window_sum){UINT32_MAX, UINT32_MAX}));
}

static void tries_are_halved_for_each_repetition_by_the_program(void **state)
{
    (void)state;
    struct retry_rule five = {.attempts = 5};

    assert_int_equal(retry_attempts(&five, 0), 5);
    assert_int_equal(retry_attempts(&five, 1), 3);
    assert_int_equal(retry_attempts(&five, 2), 2);
    assert_int_equal(retry_attempts(&five, 3), 1);
    assert_int_equal(retry_attempts(&five, 4000000000u), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_are_halved_for_each_repetition_by_the_program),
        cmocka_unit_test(retry_delay_grows_by_the_factor_up_to_the_cap),
        cmocka_unit_test(retry_delay_does_not_round_a_small_factor_away),
        cmocka_unit_test(retry_delay_survives_the_largest_rule),
        cmocka_unit_test(retry_jitter_none_is_the_delay_itself),
        cmocka_unit_test(retry_jitter_additive_adds_up_to_its_share),
        cmocka_unit_test(retry_jitter_equal_keeps_half),
        cmocka_unit_test(retry_jitter_full_is_half_the_delay_on_average),
        cmocka_unit_test(retry_jitter_decorrelated_grows_from_the_delay_before),
        cmocka_unit_test(retry_wants_what_is_in_on_and_not_in_never),
        cmocka_unit_test(what_the_program_stopped_itself_is_never_tried_again),
        cmocka_unit_test(retry_budget_is_a_share_of_the_calls),
        cmocka_unit_test(retry_budget_has_a_floor_for_small_programs),
        cmocka_unit_test(retry_budget_of_nothing_allows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
