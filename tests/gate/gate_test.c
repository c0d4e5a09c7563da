/*
 * The engine over the shared state, through the gate as a door uses it. The clock and the dice are ours:
 * sys/clock and sys/random are left out of the link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/method.h"
#include "gate/gate.h"
#include "state/control.h"

/* Last: its names are those of parameters elsewhere. */
#include "gate/own_clock.h"

/* Each test has a host of its own, so that none inherits another's circuit. */
static struct place new_host(void)
{
    static int number;
    struct place place;
    char name[32];
    int length = snprintf(name, sizeof name, "host-%d.example", ++number);

    assert_true(place_from_host(&place, name, (size_t)length, 443));
    return place;
}

static struct gate_call open_call(const struct place *place)
{
    struct rules_query query = {.place = place, .method = METHOD_GET, .path = "/", .path_length = 1};
    struct gate_call call = {0};

    assert_true(gate_open(&call, &query, true));
    return call;
}

static struct gate_attempt attempt_of(struct outcome outcome)
{
    return (struct gate_attempt){
        .outcome = outcome, .method = METHOD_GET, .sent = true, .replayable = true, .retry_after_ms = -1};
}

static struct verdict end(struct gate_call *call, struct outcome outcome)
{
    struct gate_attempt attempt = attempt_of(outcome);
    return gate_ended(call, &attempt);
}

/* One call of one attempt; returns what the gate answered to its request. */
static struct verdict one_call(const struct place *place, struct outcome outcome)
{
    struct gate_call call = open_call(place);
    struct verdict admitted = gate_admit(&call, true);

    if (admitted.kind != VERDICT_REFUSE)
        end(&call, outcome);
    gate_close(&call);
    return admitted;
}

static void open_circuit(const struct place *place)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(one_call(place, outcome_of_status(503)).kind, VERDICT_GO);
}

static void a_call_is_admitted_and_a_success_ends_it(void **state)
{
    struct place place = new_host();
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
    struct place place = new_host();
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

/* A call that has ended well at its first attempt, whose record may be used again. */
static struct gate_call routine_call(const struct place *place)
{
    struct gate_call call = open_call(place);

    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    return call;
}

static void a_call_like_the_one_before_is_counted_as_any_other(void **state)
{
    struct place place = new_host();
    struct gate_call call = routine_call(&place);
    (void)state;

    assert_true(gate_repeat(&call));
    gate_repeated(&call);
    assert_true(gate_reopen(&call));
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    assert_int_equal(call.attempt, 1);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    assert_int_equal(call.slot->counters[LAYOUT_COUNT_calls], 3);
    assert_int_equal(call.slot->counters[LAYOUT_COUNT_attempts], 3);
}

static void one_that_fails_has_its_tries_and_is_no_longer_routine(void **state)
{
    struct place place = new_host();
    struct gate_call call = routine_call(&place);
    (void)state;

    assert_true(gate_repeat(&call));
    assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_AGAIN);
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    assert_int_equal(call.attempt, 2);
    assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_AGAIN);
    gate_admit(&call, true);
    assert_int_equal(end(&call, outcome_of_status(200)).kind, VERDICT_STOP);
    gate_close(&call);
    assert_false(gate_repeat(&call));
    assert_int_equal(call.slot->counters[LAYOUT_COUNT_rescued], 1);
}

static void an_open_circuit_the_switch_and_another_host_in_the_slot_end_the_routine(void **state)
{
    struct ready *ready = gate_ready(true);
    struct place place = new_host(), other = new_host();
    struct gate_call call = routine_call(&place), evicted = routine_call(&other);
    (void)state;

    control_set_switch(ready->state.header, 1 + POLICY_SHADOW);
    assert_false(gate_repeat(&call));
    control_set_switch(ready->state.header, CONTROL_AS_CONFIGURED);
    assert_true(gate_repeat(&call));
    gate_repeated(&call);
    open_circuit(&place);
    assert_false(gate_repeat(&call));
    atomic_store(&evicted.slot->key, evicted.key + 2);
    assert_false(gate_repeat(&evicted));
    atomic_store(&evicted.slot->key, evicted.key);
}

static void a_call_that_was_left_in_the_midst_is_not_routine(void **state)
{
    struct place place = new_host();
    struct gate_call call = routine_call(&place);
    (void)state;

    assert_true(gate_repeat(&call));
    end(&call, outcome_of_status(503)); /* and a callback leaves by longjmp */
    assert_false(gate_repeat(&call));
}

static void good_replies_that_have_begun_break_a_row_of_failures(void **state)
{
    struct place place = new_host();
    struct gate_call calls[10];
    (void)state;

    /* An event loop with ten calls side by side: the good ones end last. */
    for (int i = 0; i < 10; i++) {
        calls[i] = open_call(&place);
        gate_admit(&calls[i], true);
    }
    for (int i = 0; i < 10; i++) {
        if (i % 2)
            end(&calls[i], outcome_of_status(503));
        else
            gate_answered(&calls[i]);
    }
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    for (int i = 0; i < 10; i += 2)
        assert_int_equal(end(&calls[i], outcome_of_status(200)).reason, VERDICT_SUCCEEDED);
    for (int i = 0; i < 10; i++)
        gate_close(&calls[i]);
}

static void good_replies_that_end_break_a_row_of_failures_that_end(void **state)
{
    struct place place = new_host();
    struct gate_call calls[60];
    (void)state;

    /* Connections that are reset end among the good ones, but all good ones have begun before. */
    for (int i = 0; i < 60; i++) {
        calls[i] = open_call(&place);
        gate_admit(&calls[i], true);
        if (i % 2)
            gate_answered(&calls[i]);
    }
    for (int i = 0; i < 60; i++)
        end(&calls[i], i % 2 ? outcome_of_status(200) : outcome_of_curl(56));
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    for (int i = 0; i < 60; i++)
        gate_close(&calls[i]);
}

static void a_good_reply_counts_once_and_a_body_that_breaks_off_still_fails(void **state)
{
    struct place place = new_host();
    (void)state;

    for (int i = 0; i < 5; i++) {
        struct gate_call call = open_call(&place);
        gate_admit(&call, true);
        gate_answered(&call);
        end(&call, outcome_of_curl(56));
        gate_close(&call);
    }
    /* Each began well, so no five failed in a row; but the window has five of five. */
    struct gate_call call = open_call(&place);
    struct window_sum sum = {0};
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    for (int i = 0; i < WINDOW_SLOTS; i++) {
        struct window_sum slot =
            window_read(atomic_load(&call.slot->outcomes[i]), window_slice(now_us / 1000, 30000));
        sum.all += slot.all;
        sum.marked += slot.marked;
    }
    assert_int_equal(sum.all, 5);
    assert_int_equal(sum.marked, 5);
    gate_close(&call);
}

static void the_back_off_doubles_and_the_dice_choose_within_it(void **state)
{
    struct place place = new_host();
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
    struct place place = new_host();
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
    struct place place = new_host();
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

static void five_failures_open_the_circuit_and_a_probe_closes_it(void **state)
{
    struct place place = new_host();
    (void)state;

    open_circuit(&place);
    struct verdict verdict = one_call(&place, outcome_of_status(200));
    assert_int_equal(verdict.kind, VERDICT_REFUSE);
    assert_int_equal(verdict.reason, VERDICT_CIRCUIT_OPEN);
    assert_in_range(verdict.wait_ms, 4900, 5000);
    pass_ms(5001);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
}

static void only_one_probe_goes_and_a_failed_one_doubles_the_open_time(void **state)
{
    struct place place = new_host();
    (void)state;

    open_circuit(&place);
    pass_ms(5001);
    struct gate_call probe = open_call(&place);
    assert_int_equal(gate_admit(&probe, true).kind, VERDICT_GO);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_REFUSE);
    end(&probe, outcome_of_status(503));
    gate_close(&probe);
    assert_in_range(one_call(&place, outcome_of_status(200)).wait_ms, 9900, 10000);
}

static void a_killed_prober_blocks_nobody_for_longer_than_its_lease(void **state)
{
    struct place place = new_host();
    (void)state;

    open_circuit(&place);
    pass_ms(5001);
    struct gate_call killed = open_call(&place);
    assert_int_equal(gate_admit(&killed, true).kind, VERDICT_GO); /* and nothing is ever heard of it */
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_REFUSE);
    pass_ms(35001); /* connect 5 s and attempt 30 s: longer than any probe may take */
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
}

static void a_probe_that_is_given_up_gives_its_place_back(void **state)
{
    struct place place = new_host();
    (void)state;

    open_circuit(&place);
    pass_ms(5001);
    struct gate_call left = open_call(&place);
    assert_int_equal(gate_admit(&left, true).kind, VERDICT_GO);
    gate_close(&left);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
}

static void what_the_program_caused_never_opens_the_circuit(void **state)
{
    struct place place = new_host();
    struct outcome own_timeout = outcome_of_curl(28);
    (void)state;

    own_timeout.type = OUTCOME_LOCAL;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(one_call(&place, own_timeout).kind, VERDICT_GO);
        assert_int_equal(one_call(&place, outcome_of_curl(42)).kind, VERDICT_GO); /* aborted by callback */
        assert_int_equal(one_call(&place, outcome_of_curl(77)).kind, VERDICT_GO); /* CA file */
    }
}

static void half_of_many_calls_may_fail_without_opening_the_circuit(void **state)
{
    struct place place = new_host();
    (void)state;

    for (int i = 0; i < 200; i++) {
        assert_int_equal(one_call(&place, outcome_of_status(i % 2 ? 503 : 200)).kind, VERDICT_GO);
        pass_ms(50);
    }
}

static void the_retry_budget_is_shared_and_has_a_floor(void **state)
{
    struct place place = new_host();
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
    struct place place = new_host();
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    pass_ms(89900);
    assert_int_equal(end(&call, outcome_of_status(503)).reason, VERDICT_DEADLINE);
    gate_close(&call);
}

static void retry_after_is_honoured_up_to_its_bound(void **state)
{
    struct place place = new_host();
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
    struct place place = new_host();
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

static void errors_are_counted_by_type_and_refusals_with_them(void **state)
{
    struct place place = new_host();
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

static void the_switch_turns_rules_off_and_on_in_running_programs(void **state)
{
    struct place place = new_host();
    struct rules_query query = {.place = &place, .method = METHOD_GET, .path = "/", .path_length = 1};
    struct ready *ready = gate_ready(true);
    struct gate_call call = {0};
    (void)state;

    control_set_switch(ready->state.header, 1 + POLICY_OFF);
    assert_false(gate_open(&call, &query, true));
    control_set_switch(ready->state.header, CONTROL_AS_CONFIGURED);
    assert_true(gate_open(&call, &query, true));
    gate_close(&call);
}

static void shadow_decides_on_a_memory_of_its_own_and_changes_nothing(void **state)
{
    struct place place = new_host();
    struct ready *ready = gate_ready(true);
    (void)state;

    control_set_switch(ready->state.header, 1 + POLICY_SHADOW);
    for (int i = 0; i < 10; i++) {
        struct gate_call call = open_call(&place);
        assert_true(call.shadow);
        assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
        assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_STOP);
        gate_close(&call);
        if (i == 9) {
            assert_int_equal(atomic_load(&call.slot->counters[LAYOUT_COUNT_would_retry]), 4);
            assert_int_equal(atomic_load(&call.slot->counters[LAYOUT_COUNT_would_reject]), 5);
            assert_int_equal(atomic_load(&call.slot->counters[LAYOUT_COUNT_rejected]), 0);
        }
    }
    control_set_switch(ready->state.header, CONTROL_AS_CONFIGURED);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
}

static void a_refusal_is_explained_with_host_reason_and_time(void **state)
{
    struct place place = new_host();
    char text[256];
    (void)state;

    open_circuit(&place);
    struct gate_call call = open_call(&place);
    struct verdict verdict = gate_admit(&call, true);
    gate_explain(&call, &verdict, text, sizeof text);
    assert_non_null(
        strstr(text, "example:443 refused: circuit open by policy standard, next try in 5000 ms"));
    assert_int_equal(gate_explain(&call, &verdict, text, 10), 9);
    assert_int_equal(strlen(text), 9);
    gate_close(&call);
}

static char folder[] = "/tmp/gusset-gate-XXXXXX", path[64];

static int prepare(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    setenv("GUSSET_STATE", path, 1);
    setenv("GUSSET_POLICY", "standard", 1);
    setenv("XDG_CONFIG_HOME", folder, 1);
    unsetenv("GUSSET_CONFIG");
    unsetenv("GUSSET_SET");
    unsetenv("GUSSET_MODE");
    return 0;
}

static int tidy(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_admitted_and_a_success_ends_it),
        cmocka_unit_test(a_failure_is_tried_again_until_no_tries_are_left),
        cmocka_unit_test(good_replies_that_have_begun_break_a_row_of_failures),
        cmocka_unit_test(good_replies_that_end_break_a_row_of_failures_that_end),
        cmocka_unit_test(a_good_reply_counts_once_and_a_body_that_breaks_off_still_fails),
        cmocka_unit_test(the_back_off_doubles_and_the_dice_choose_within_it),
        cmocka_unit_test(an_attempt_is_counted_once_however_often_it_is_told),
        cmocka_unit_test(what_was_sent_is_repeated_only_when_it_may_be),
        cmocka_unit_test(five_failures_open_the_circuit_and_a_probe_closes_it),
        cmocka_unit_test(only_one_probe_goes_and_a_failed_one_doubles_the_open_time),
        cmocka_unit_test(a_killed_prober_blocks_nobody_for_longer_than_its_lease),
        cmocka_unit_test(a_probe_that_is_given_up_gives_its_place_back),
        cmocka_unit_test(what_the_program_caused_never_opens_the_circuit),
        cmocka_unit_test(half_of_many_calls_may_fail_without_opening_the_circuit),
        cmocka_unit_test(the_retry_budget_is_shared_and_has_a_floor),
        cmocka_unit_test(no_retry_is_begun_that_would_pass_the_deadline),
        cmocka_unit_test(retry_after_is_honoured_up_to_its_bound),
        cmocka_unit_test(a_rescued_call_is_counted_with_its_attempts),
        cmocka_unit_test(a_call_like_the_one_before_is_counted_as_any_other),
        cmocka_unit_test(one_that_fails_has_its_tries_and_is_no_longer_routine),
        cmocka_unit_test(an_open_circuit_the_switch_and_another_host_in_the_slot_end_the_routine),
        cmocka_unit_test(a_call_that_was_left_in_the_midst_is_not_routine),
        cmocka_unit_test(errors_are_counted_by_type_and_refusals_with_them),
        cmocka_unit_test(the_switch_turns_rules_off_and_on_in_running_programs),
        cmocka_unit_test(shadow_decides_on_a_memory_of_its_own_and_changes_nothing),
        cmocka_unit_test(a_refusal_is_explained_with_host_reason_and_time),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
