/* core/breaker: when a circuit opens, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "breaker_fixture.h"

static void breaker_admits_everything_while_closed(void **state)
{
    (void)state;
    uint64_t word = 0;

    assert_int_equal(admit(&word, &rule, NOW).answer, BREAKER_ADMITS);
    assert_int_equal(word, 0);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
}

static void breaker_writes_nothing_while_all_goes_well(void **state)
{
    (void)state;
    uint64_t odd = UINT64_C(0x0000123456789abc); /* closed, no failures, stray bits elsewhere */

    assert_int_equal(breaker_ended(0, &rule, NOW, 0, false, quiet), 0);
    assert_true(breaker_ended(odd, &rule, NOW, 0, false, quiet) == odd);
}

static void breaker_opens_after_failures_in_a_row_where_there_is_little_traffic(void **state)
{
    (void)state;
    uint64_t word = 0;

    for (uint32_t i = 1; i < 5; i++) {
        word = failure(word, NOW, 0);
        assert_int_equal(breaker_state(word), BREAKER_CLOSED);
        assert_int_equal(breaker_failures(word), i);
    }
    word = failure(word, NOW, 0);
    assert_int_equal(breaker_state(word), BREAKER_OPEN);
    assert_int_equal(breaker_failures(word), 0);
    assert_int_equal(breaker_remaining_ms(word, NOW), 5000);
}

static void breaker_forgets_failures_at_a_success(void **state)
{
    (void)state;
    uint64_t word = 0;

    for (int i = 0; i < 4; i++)
        word = failure(word, NOW, 0);
    word = breaker_ended(word, &rule, NOW, 0, false, quiet);
    assert_int_equal(breaker_failures(word), 0);
    for (int i = 0; i < 4; i++)
        word = failure(word, NOW, 0);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
}

static void breaker_rides_out_a_brownout_where_there_is_traffic(void **state)
{
    (void)state;
    struct window_sum half = {100, 50};
    uint64_t word = 0;

    for (int i = 0; i < 19; i++)
        word = breaker_ended(word, &rule, NOW, 0, true, half);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    word = breaker_ended(word, &rule, NOW, 0, true, half); /* as many in a row as the window needs calls */
    assert_int_equal(breaker_state(word), BREAKER_OPEN);
}

static void breaker_opens_when_the_share_of_failures_is_reached(void **state)
{
    (void)state;

    assert_int_equal(breaker_state(breaker_ended(0, &rule, NOW, 0, true, (struct window_sum){20, 17})),
                     BREAKER_CLOSED);
    assert_int_equal(breaker_state(breaker_ended(0, &rule, NOW, 0, true, (struct window_sum){20, 18})),
                     BREAKER_OPEN);
    assert_int_equal(breaker_state(breaker_ended(0, &rule, NOW, 0, true, (struct window_sum){19, 19})),
                     BREAKER_CLOSED);
}

static void breaker_counts_failures_in_a_row_alone_when_the_share_is_off(void **state)
{
    (void)state;
    struct breaker_rule alone = rule;
    struct window_sum busy = {1000, 1000};
    uint64_t word = 0;

    alone.percent_bp = 0;
    for (int i = 0; i < 4; i++)
        word = breaker_ended(word, &alone, NOW, 0, true, busy);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    word = breaker_ended(word, &alone, NOW, 0, true, busy);
    assert_int_equal(breaker_state(word), BREAKER_OPEN);
}

static void breaker_never_opens_when_both_triggers_are_off(void **state)
{
    (void)state;
    struct breaker_rule off = rule;
    uint64_t word = 0;

    off.percent_bp = off.consecutive = 0;
    for (int i = 0; i < 10000; i++)
        word = breaker_ended(word, &off, NOW, 0, true, (struct window_sum){1000, 1000});
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    assert_int_equal(breaker_failures(word), 4095);
}

static void breaker_reaches_a_threshold_beyond_its_counter(void **state)
{
    (void)state;
    struct breaker_rule patient = rule;
    uint64_t word = 0;

    patient.percent_bp = 0;
    patient.consecutive = 100000;
    for (int i = 0; i < 4094; i++)
        word = breaker_ended(word, &patient, NOW, 0, true, quiet);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    assert_int_equal(breaker_state(breaker_ended(word, &patient, NOW, 0, true, quiet)), BREAKER_OPEN);
}

static void breaker_refuses_while_open_and_says_for_how_long(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW), before = word;
    struct breaker_admission admission = admit(&word, &rule, NOW + 4200);

    assert_int_equal(admission.answer, BREAKER_REFUSES);
    assert_int_equal(admission.retry_ms, 800);
    assert_true(word == before);
    assert_int_equal(breaker_remaining_ms(word, NOW + 4200), 800);
    assert_int_equal(breaker_remaining_ms(word, NOW + 5000), 0);
    assert_int_equal(breaker_remaining_ms(breaker_closed(), NOW), 0);
    admit(&word, &rule, NOW + 5000);
    assert_int_equal(breaker_remaining_ms(word, NOW + 5000), 0); /* half open: a lease is no open time */
}

static void breaker_opened_by_hand_stays_open_until_reset(void **state)
{
    (void)state;
    uint64_t word = breaker_forced_open(NOW, 0);
    struct breaker_admission admission = admit(&word, &rule, NOW + UINT64_C(1) * 365 * 86400 * 1000);

    assert_int_equal(admission.answer, BREAKER_REFUSES);
    assert_int_equal(admission.retry_ms, 0);
    assert_true(breaker_remaining_ms(word, NOW) == UINT64_MAX);
    assert_true(breaker_ended(word, &rule, NOW, 0, false, quiet) == word);
    assert_int_equal(breaker_state(breaker_closed()), BREAKER_CLOSED);
}

static void breaker_opened_by_hand_may_outlast_the_rules_cap(void **state)
{
    (void)state;
    uint64_t word = breaker_forced_open(NOW, 86400000);

    assert_int_equal(admit(&word, &rule, NOW + 86399999).answer, BREAKER_REFUSES);
    assert_int_equal(breaker_remaining_ms(word, NOW), 86400000);
    assert_int_equal(admit(&word, &rule, NOW + 86400000).answer, BREAKER_PROBES);
}

static void breaker_takes_a_time_that_no_rule_sets_for_expired(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW + 86400000); /* by a clock a day ahead */

    assert_int_equal(admit(&word, &rule, NOW).answer, BREAKER_PROBES);
    word = tripped(NOW);
    admit(&word, &rule, NOW + 86400000);
    assert_int_equal(admit(&word, &rule, NOW).answer, BREAKER_PROBES); /* a lease from tomorrow */
}

/* A caller that read the clock and was held up sees times further off than the rule sets them. */
static void breaker_is_not_fooled_by_a_callers_late_clock(void **state)
{
    (void)state;
    struct breaker_rule flat = rule;
    uint64_t word = 0;

    flat.open_cap_ms = flat.open_ms;
    for (int i = 0; i < 5; i++)
        word = breaker_ended(word, &flat, NOW, 0, true, quiet);
    assert_int_equal(admit(&word, &flat, NOW - 20).answer, BREAKER_REFUSES);
    admit(&word, &flat, NOW + 5000);
    assert_int_equal(admit(&word, &flat, NOW + 4980).answer, BREAKER_REFUSES);
}

static void breaker_honours_a_lease_longer_than_the_callers_own(void **state)
{
    (void)state;
    struct breaker_admission admission;
    uint64_t word = breaker_admit(tripped(NOW), &rule, NOW + 5000, 60000, &admission);

    (void)breaker_admit(word, &rule, NOW + 5001, 1000, &admission);
    assert_int_equal(admission.answer, BREAKER_REFUSES);
    assert_int_equal(admission.retry_ms, 59999);
}

static void breaker_works_across_the_wrap_of_its_clock(void **state)
{
    (void)state;
    const uint64_t wrap = UINT64_C(1) << 39;

    for (uint64_t at = wrap - 5005; at < wrap - 4995; at++) {
        uint64_t word = tripped(at);
        assert_int_equal(admit(&word, &rule, at + 4998).answer, BREAKER_REFUSES);
        struct breaker_admission probe = admit(&word, &rule, at + 5001);
        assert_int_equal(probe.answer, BREAKER_PROBES);
        word = breaker_ended(word, &rule, at + 5002, probe.round, false, quiet);
        assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    }
}

static void breaker_names_its_states(void **state)
{
    (void)state;

    assert_string_equal(breaker_state_name(BREAKER_CLOSED), "closed");
    assert_string_equal(breaker_state_name(BREAKER_OPEN), "open");
    assert_string_equal(breaker_state_name(BREAKER_HALF_OPEN), "half open");
}

static void breaker_takes_up_to_a_tenth_off_the_open_time_by_chance(void **state)
{
    (void)state;

    assert_int_equal(breaker_remaining_ms(breaker_opened(&rule, NOW, 0, UINT32_MAX), NOW), 5000);
    assert_in_range(breaker_remaining_ms(breaker_opened(&rule, NOW, 0, 0), NOW), 4500, 4501);
    assert_int_equal(breaker_remaining_ms(breaker_opened(&rule, NOW, 1, UINT32_MAX), NOW), 10000);
    assert_int_equal(breaker_remaining_ms(breaker_opened(&rule, NOW, 1000, UINT32_MAX), NOW), 300000);
}

static void breaker_goes_on_from_the_last_open_time_where_it_opens_again_soon(void **state)
{
    (void)state;
    uint64_t calm = breaker_calm(NOW, 2); /* it was open for 5, 10, 20 seconds */

    assert_int_equal(breaker_opens_after(0, &rule, NOW), 0);
    assert_int_equal(breaker_opens_after(calm, &rule, NOW), 3);
    assert_int_equal(breaker_opens_after(calm, &rule, NOW + 19999), 3);
    assert_int_equal(breaker_opens_after(calm, &rule, NOW + 20000), 2);
    assert_int_equal(breaker_opens_after(calm, &rule, NOW + 30000), 1);
    assert_int_equal(breaker_opens_after(calm, &rule, NOW + 35000), 0);
    assert_int_equal(breaker_opens_after(calm, &rule, NOW + 1000000000), 0);
}

static void breaker_opens_for_slow_ones_at_the_share_of_them_and_not_without_a_rule(void **state)
{
    (void)state;
    struct breaker_rule slow = rule;

    assert_false(breaker_is_slow(&rule, (struct window_sum){100, 100}));
    slow.slow_ms = 1000;
    slow.slow_bp = 8000;
    assert_false(breaker_is_slow(&slow, (struct window_sum){19, 19}));
    assert_false(breaker_is_slow(&slow, (struct window_sum){20, 15}));
    assert_true(breaker_is_slow(&slow, (struct window_sum){20, 16}));
    slow.slow_bp = 0;
    assert_false(breaker_is_slow(&slow, (struct window_sum){20, 20}));
}

static void breaker_that_is_held_closed_lets_all_through_and_forgets_when_its_time_is_over(void **state)
{
    (void)state;
    uint64_t word = breaker_held_closed(NOW, 60000), forever = breaker_held_closed(NOW, 0), left_ms;

    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    assert_true(breaker_is_held(word, NOW + 59999, &left_ms));
    assert_int_equal(left_ms, 1);
    for (int i = 0; i < 100; i++)
        word = failure(word, NOW + 100, 0);
    assert_int_equal(admit(&word, &rule, NOW + 100).answer, BREAKER_ADMITS);
    assert_false(breaker_is_held(word, NOW + 60000, &left_ms));
    assert_int_equal(admit(&word, &rule, NOW + 60000).answer, BREAKER_ADMITS);
    assert_true(word == breaker_closed());
    word = breaker_held_closed(NOW, 60000);
    for (int i = 0; i < 5; i++)
        word = failure(word, NOW + 60000, 0);
    assert_int_equal(breaker_state(word), BREAKER_OPEN);
    assert_true(breaker_is_held(forever, NOW + 86400000, &left_ms));
    assert_true(left_ms == UINT64_MAX);
    assert_false(breaker_is_held(tripped(NOW), NOW, &left_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker_admits_everything_while_closed),
        cmocka_unit_test(breaker_writes_nothing_while_all_goes_well),
        cmocka_unit_test(breaker_opens_after_failures_in_a_row_where_there_is_little_traffic),
        cmocka_unit_test(breaker_forgets_failures_at_a_success),
        cmocka_unit_test(breaker_rides_out_a_brownout_where_there_is_traffic),
        cmocka_unit_test(breaker_opens_when_the_share_of_failures_is_reached),
        cmocka_unit_test(breaker_counts_failures_in_a_row_alone_when_the_share_is_off),
        cmocka_unit_test(breaker_never_opens_when_both_triggers_are_off),
        cmocka_unit_test(breaker_reaches_a_threshold_beyond_its_counter),
        cmocka_unit_test(breaker_refuses_while_open_and_says_for_how_long),
        cmocka_unit_test(breaker_opened_by_hand_stays_open_until_reset),
        cmocka_unit_test(breaker_opened_by_hand_may_outlast_the_rules_cap),
        cmocka_unit_test(breaker_takes_a_time_that_no_rule_sets_for_expired),
        cmocka_unit_test(breaker_is_not_fooled_by_a_callers_late_clock),
        cmocka_unit_test(breaker_honours_a_lease_longer_than_the_callers_own),
        cmocka_unit_test(breaker_works_across_the_wrap_of_its_clock),
        cmocka_unit_test(breaker_names_its_states),
        cmocka_unit_test(breaker_takes_up_to_a_tenth_off_the_open_time_by_chance),
        cmocka_unit_test(breaker_goes_on_from_the_last_open_time_where_it_opens_again_soon),
        cmocka_unit_test(breaker_opens_for_slow_ones_at_the_share_of_them_and_not_without_a_rule),
        cmocka_unit_test(breaker_that_is_held_closed_lets_all_through_and_forgets_when_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
