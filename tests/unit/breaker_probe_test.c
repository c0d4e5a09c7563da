/* core/breaker: the half open circuit, its probes and their leases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "breaker_fixture.h"

/* A probe goes and ends within one millisecond. */
static uint64_t probed(uint64_t word, uint64_t now_ms, bool failed)
{
    uint64_t round = admit(&word, &rule, now_ms).round;
    return breaker_ended(word, &rule, now_ms, round, failed, quiet);
}

static void breaker_lets_one_probe_through_after_cooldown(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW);

    assert_int_equal(admit(&word, &rule, NOW + 4999).answer, BREAKER_REFUSES);
    struct breaker_admission probe = admit(&word, &rule, NOW + 5000);
    assert_int_equal(probe.answer, BREAKER_PROBES);
    assert_int_not_equal(probe.round, 0);
    assert_int_equal(breaker_state(word), BREAKER_HALF_OPEN);
    struct breaker_admission second = admit(&word, &rule, NOW + 5001);
    assert_int_equal(second.answer, BREAKER_REFUSES);
    assert_int_equal(second.retry_ms, LEASE - 1);
}

static void breaker_closes_when_its_probe_comes_back_well(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW);
    struct breaker_admission probe = admit(&word, &rule, NOW + 5000);

    word = breaker_ended(word, &rule, NOW + 5010, probe.round, false, quiet);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
    assert_int_equal(breaker_failures(word), 0);
}

static void breaker_doubles_its_open_time_up_to_the_cap(void **state)
{
    (void)state;
    static const uint32_t expected[] = {10000, 20000, 40000, 80000, 160000, 300000, 300000};
    uint64_t word = tripped(NOW), now_ms = NOW;

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        now_ms += breaker_remaining_ms(word, now_ms);
        word = probed(word, now_ms, true);
        assert_int_equal(breaker_remaining_ms(word, now_ms), expected[i]);
    }
    for (int i = 0; i < 100; i++) { /* the counter of reopenings ends, the time does not wrap */
        now_ms += breaker_remaining_ms(word, now_ms);
        word = probed(word, now_ms, true);
        assert_int_equal(breaker_remaining_ms(word, now_ms), 300000);
    }
}

static void breaker_starts_with_the_short_time_again_once_it_was_closed(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW);

    word = probed(word, NOW + 5000, true);
    word = probed(word, NOW + 15000, false);
    for (int i = 0; i < 5; i++)
        word = failure(word, NOW + 20000, 0);
    assert_int_equal(breaker_remaining_ms(word, NOW + 20000), 5000);
}

static void breaker_ignores_calls_that_were_let_in_before_it_opened(void **state)
{
    (void)state;
    uint64_t open = tripped(NOW), half = open;

    admit(&half, &rule, NOW + 5000);
    assert_true(breaker_ended(open, &rule, NOW, 0, true, (struct window_sum){50, 50}) == open);
    assert_true(breaker_ended(open, &rule, NOW, 0, false, quiet) == open);
    assert_true(breaker_ended(half, &rule, NOW, 0, true, quiet) == half);
    assert_true(breaker_ended(half, &rule, NOW, 0, false, quiet) == half);
}

static void breaker_gives_a_killed_probers_place_away(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW);
    struct breaker_admission killed = admit(&word, &rule, NOW + 5000);

    assert_int_equal(admit(&word, &rule, NOW + 5000 + LEASE - 1).answer, BREAKER_REFUSES);
    struct breaker_admission next = admit(&word, &rule, NOW + 5000 + LEASE);
    assert_int_equal(next.answer, BREAKER_PROBES);
    assert_true(next.round != killed.round);

    /* Not killed after all, only slow: its round is over, and it neither opens nor closes. */
    assert_true(failure(word, NOW + 9000, killed.round) == word);
    assert_true(breaker_ended(word, &rule, NOW + 9000, killed.round, false, quiet) == word);
    assert_true(breaker_withdraw(word, killed.round) == word);
}

static void breaker_believes_a_slow_probe_whose_place_nobody_took(void **state)
{
    (void)state;
    uint64_t word = tripped(NOW);
    struct breaker_admission slow = admit(&word, &rule, NOW + 5000);

    word = breaker_ended(word, &rule, NOW + 60000, slow.round, false, quiet);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
}

static void breaker_wants_all_its_probes_back(void **state)
{
    (void)state;
    struct breaker_rule three = with_probes(3);
    uint64_t word = tripped(NOW), failing;
    uint64_t round = admit(&word, &three, NOW + 5000).round;

    assert_true(admit(&word, &three, NOW + 5001).round == round);
    assert_true(admit(&word, &three, NOW + 5002).round == round);
    assert_int_equal(admit(&word, &three, NOW + 5003).answer, BREAKER_REFUSES);
    word = breaker_ended(word, &three, NOW + 5100, round, false, quiet);
    word = breaker_ended(word, &three, NOW + 5100, round, false, quiet);
    assert_int_equal(breaker_state(word), BREAKER_HALF_OPEN);
    failing = breaker_ended(word, &three, NOW + 5100, round, true, quiet);
    assert_int_equal(breaker_remaining_ms(failing, NOW + 5100), 10000);
    word = breaker_ended(word, &three, NOW + 5100, round, false, quiet);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
}

/* One call a minute, three probes: were passed probes forgotten with the lease, it would never close. */
static void breaker_closes_by_probes_that_come_one_by_one(void **state)
{
    (void)state;
    struct breaker_rule three = with_probes(3);
    uint64_t word = tripped(NOW), now_ms = NOW + 5000;

    for (int i = 0; i < 3; i++, now_ms += 60000) {
        struct breaker_admission probe = admit(&word, &three, now_ms);
        assert_int_equal(probe.answer, BREAKER_PROBES);
        word = breaker_ended(word, &three, now_ms + LEASE - 1, probe.round, false, quiet);
    }
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
}

static void breaker_keeps_what_passed_when_another_probe_was_killed(void **state)
{
    (void)state;
    struct breaker_rule two = with_probes(2);
    uint64_t word = tripped(NOW);
    struct breaker_admission well = admit(&word, &two, NOW + 5000);

    admit(&word, &two, NOW + 5000); /* killed */
    word = breaker_ended(word, &two, NOW + 5100, well.round, false, quiet);
    struct breaker_admission next = admit(&word, &two, NOW + 5000 + LEASE);
    assert_int_equal(next.answer, BREAKER_PROBES);
    assert_int_equal(admit(&word, &two, NOW + 5000 + LEASE).answer, BREAKER_REFUSES);
    word = breaker_ended(word, &two, NOW + 9000, next.round, false, quiet);
    assert_int_equal(breaker_state(word), BREAKER_CLOSED);
}

static void breaker_takes_a_probe_back_that_told_nothing(void **state)
{
    (void)state;
    struct breaker_rule two = with_probes(2);
    uint64_t word = tripped(NOW);
    uint64_t round = admit(&word, &two, NOW + 5000).round;

    admit(&word, &two, NOW + 5000);
    word = breaker_withdraw(word, round);
    assert_int_equal(admit(&word, &two, NOW + 5001).answer, BREAKER_PROBES);
    assert_int_equal(admit(&word, &two, NOW + 5001).answer, BREAKER_REFUSES);
    word = breaker_withdraw(breaker_withdraw(word, round), round);
    assert_int_equal(breaker_state(word), BREAKER_HALF_OPEN);

    /* None is out any more: the next one gets a whole lease. */
    struct breaker_admission next = admit(&word, &two, NOW + 5000 + LEASE - 1);
    assert_int_equal(next.answer, BREAKER_PROBES);
    assert_int_equal(admit(&word, &two, NOW + 5000 + LEASE).answer, BREAKER_PROBES);
    assert_int_equal(admit(&word, &two, NOW + 5000 + LEASE).retry_ms, LEASE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker_lets_one_probe_through_after_cooldown),
        cmocka_unit_test(breaker_closes_when_its_probe_comes_back_well),
        cmocka_unit_test(breaker_doubles_its_open_time_up_to_the_cap),
        cmocka_unit_test(breaker_starts_with_the_short_time_again_once_it_was_closed),
        cmocka_unit_test(breaker_ignores_calls_that_were_let_in_before_it_opened),
        cmocka_unit_test(breaker_gives_a_killed_probers_place_away),
        cmocka_unit_test(breaker_believes_a_slow_probe_whose_place_nobody_took),
        cmocka_unit_test(breaker_wants_all_its_probes_back),
        cmocka_unit_test(breaker_closes_by_probes_that_come_one_by_one),
        cmocka_unit_test(breaker_keeps_what_passed_when_another_probe_was_killed),
        cmocka_unit_test(breaker_takes_a_probe_back_that_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
