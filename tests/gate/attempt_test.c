/* The attempts of a call: which are made again and when, and what is counted of them. Under `standard`. */
#include "gate_fixture.h"

static void a_call_is_admitted_and_a_success_ends_it(void **state)
{
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    (void)state;

    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    assert_int_equal(call.attempt, 1);
    struct verdict verdict = end(&call, outcome_of_status(200));
    assert_int_equal(verdict.kind, VERDICT_STOP);
    assert_int_equal(verdict.reason, VERDICT_SUCCEEDED);
    gate_close(&call);
}

static void a_failure_is_tried_again_until_no_tries_are_left(void **state)
{
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    (void)state;

    for (int i = 1; i < 3; i++) {
        gate_admit(&call, true);
        assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_AGAIN);
    }
    gate_admit(&call, true);
    struct verdict verdict = end(&call, outcome_of_status(503));
    assert_int_equal(verdict.kind, VERDICT_STOP);
    assert_int_equal(verdict.reason, VERDICT_EXHAUSTED);
    gate_close(&call);
}

static void the_back_off_doubles_and_the_dice_choose_within_it(void **state)
{
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    dice = UINT64_MAX;
    assert_in_range(end(&call, outcome_of_status(503)).wait_ms, 499, 500);
    gate_admit(&call, true);
    assert_in_range(end(&call, outcome_of_status(503)).wait_ms, 999, 1000);
    gate_close(&call);

    call = open_call(&place);
    gate_admit(&call, true);
    dice = 0;
    assert_int_equal(end(&call, outcome_of_status(503)).wait_ms, 0);
    dice = UINT64_MAX;
    gate_close(&call);
}

static void an_attempt_is_counted_once_however_often_it_is_told(void **state)
{
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    struct verdict first = end(&call, outcome_of_status(503)), again = end(&call, outcome_of_status(200));
    assert_memory_equal(&first, &again, sizeof first);
    assert_int_equal(atomic_load(&call.slot->counters[LAYOUT_COUNT_failures]), 1);
    gate_close(&call);
}

static void what_was_sent_is_repeated_only_when_it_may_be(void **state)
{
    struct place place = new_host("example");
    struct gate_attempt attempt = attempt_of(outcome_of_status(503));
    struct gate_call call = open_call(&place);
    (void)state;

    attempt.method = METHOD_POST;
    gate_admit(&call, true);
    assert_int_equal(gate_ended(&call, &attempt).reason, VERDICT_NOT_REPEATABLE);
    gate_close(&call);

    call = open_call(&place);
    gate_admit(&call, true);
    attempt.idempotent = true;
    assert_int_equal(gate_ended(&call, &attempt).kind, VERDICT_AGAIN);
    gate_close(&call);

    call = open_call(&place);
    gate_admit(&call, true);
    attempt.idempotent = false;
    attempt.sent = false;
    attempt.outcome = outcome_of_curl(7);
    assert_int_equal(gate_ended(&call, &attempt).kind, VERDICT_AGAIN);
    gate_close(&call);

    call = open_call(&place);
    gate_admit(&call, true);
    attempt.replayable = false;
    assert_int_equal(gate_ended(&call, &attempt).reason, VERDICT_NOT_REPEATABLE);
    gate_close(&call);
}

static void the_retry_budget_is_shared_and_has_a_floor(void **state)
{
    struct place place = new_host("example");
    int retries = 0;
    (void)state;

    dice = 0;
    for (int i = 0; i < 1000; i++) {
        struct gate_call call = open_call(&place);
        gate_admit(&call, true);
        retries +=
            end(&call, outcome_of_status(429)).kind == VERDICT_AGAIN; /* 429 does not feed the circuit */
        gate_close(&call);
    }
    dice = UINT64_MAX;
    assert_in_range(retries, 190, 210); /* 20 % of 1000 calls; the floor alone would give 100 */
}

static void no_retry_is_begun_that_would_pass_the_deadline(void **state)
{
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    pass_ms(89900);
    assert_int_equal(end(&call, outcome_of_status(503)).reason, VERDICT_DEADLINE);
    gate_close(&call);
}

static void retry_after_is_honoured_up_to_its_bound(void **state)
{
    struct place place = new_host("example");
    struct gate_attempt attempt = attempt_of(outcome_of_status(429));
    struct gate_call call = open_call(&place);
    (void)state;

    attempt.retry_after_ms = 7000;
    gate_admit(&call, true);
    assert_int_equal(gate_ended(&call, &attempt).wait_ms, 7000);
    gate_admit(&call, true);
    attempt.retry_after_ms = 61000;
    assert_int_equal(gate_ended(&call, &attempt).kind, VERDICT_STOP);
    gate_close(&call);
}

static void a_rescued_call_is_counted_with_its_attempts(void **state)
{
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    end(&call, outcome_of_status(503));
    gate_admit(&call, true);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    _Atomic uint64_t *counters = call.slot->counters;
    assert_int_equal(atomic_load(&counters[LAYOUT_COUNT_calls]), 1);
    assert_int_equal(atomic_load(&counters[LAYOUT_COUNT_attempts]), 2);
    assert_int_equal(atomic_load(&counters[LAYOUT_COUNT_retries]), 1);
    assert_int_equal(atomic_load(&counters[LAYOUT_COUNT_rescued]), 1);
    assert_int_equal(atomic_load(&counters[LAYOUT_COUNT_failed]), 0);
}

static void a_call_without_a_reply_has_failed_whoever_is_to_blame(void **state)
{
    static const int codes[] = {6, 7, 28, 35, 56}; /* no name, no connection, too late, no TLS, no reply */
    (void)state;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct place place = new_host("example");
        struct gate_call call = open_call(&place);
        struct verdict verdict;
        do {
            gate_admit(&call, true);
            verdict = end(&call, outcome_of_curl(codes[i]));
        } while (verdict.kind == VERDICT_AGAIN);
        gate_close(&call);
        assert_int_equal(atomic_load(&call.slot->counters[LAYOUT_COUNT_failed]), 1);
    }
    struct place place = new_host("example");
    struct gate_call call = open_call(&place);
    gate_admit(&call, true);
    end(&call, outcome_of_curl(42)); /* the program's own callback said stop */
    gate_close(&call);
    assert_int_equal(atomic_load(&call.slot->counters[LAYOUT_COUNT_failed]), 0);
}

static void errors_are_counted_by_type_and_refusals_with_them(void **state)
{
    struct place place = new_host("example");
    struct gate_call call;
    (void)state;

    for (int i = 0; i < 5; i++) {
        call = open_call(&place);
        gate_admit(&call, true);
        end(&call, i < 2 ? outcome_of_curl(28) : outcome_of_status(503));
        gate_close(&call);
    }
    call = open_call(&place); /* the circuit is open by now */
    gate_admit(&call, true);
    gate_close(&call);
    _Atomic uint32_t *errors = call.slot->errors;
    assert_int_equal(atomic_load(&errors[OUTCOME_TIMEOUT - 1]), 2);
    assert_int_equal(atomic_load(&errors[OUTCOME_SERVER_ERROR - 1]), 3);
    assert_int_equal(atomic_load(&errors[OUTCOME_CIRCUIT_OPEN - 1]), 1);
    assert_int_equal(atomic_load(&errors[OUTCOME_UNKNOWN - 1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_admitted_and_a_success_ends_it),
        cmocka_unit_test(a_failure_is_tried_again_until_no_tries_are_left),
        cmocka_unit_test(the_back_off_doubles_and_the_dice_choose_within_it),
        cmocka_unit_test(an_attempt_is_counted_once_however_often_it_is_told),
        cmocka_unit_test(what_was_sent_is_repeated_only_when_it_may_be),
        cmocka_unit_test(the_retry_budget_is_shared_and_has_a_floor),
        cmocka_unit_test(no_retry_is_begun_that_would_pass_the_deadline),
        cmocka_unit_test(retry_after_is_honoured_up_to_its_bound),
        cmocka_unit_test(a_rescued_call_is_counted_with_its_attempts),
        cmocka_unit_test(a_call_without_a_reply_has_failed_whoever_is_to_blame),
        cmocka_unit_test(errors_are_counted_by_type_and_refusals_with_them),
    };
    return cmocka_run_group_tests(tests, prepare_standard, tidy);
}
