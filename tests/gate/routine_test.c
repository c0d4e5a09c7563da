/* A call like the one before it on the same record, in one step; and what ends that. */
#include "gate_fixture.h"

#include "state/control.h"

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
    struct place place = new_host("example");
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
    struct place place = new_host("example");
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
    struct place place = new_host("example"), other = new_host("example");
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
    struct place place = new_host("example");
    struct gate_call call = routine_call(&place);
    (void)state;

    assert_true(gate_repeat(&call));
    end(&call, outcome_of_status(503)); /* and a callback leaves by longjmp */
    assert_false(gate_repeat(&call));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_like_the_one_before_is_counted_as_any_other),
        cmocka_unit_test(one_that_fails_has_its_tries_and_is_no_longer_routine),
        cmocka_unit_test(an_open_circuit_the_switch_and_another_host_in_the_slot_end_the_routine),
        cmocka_unit_test(a_call_that_was_left_in_the_midst_is_not_routine),
    };
    return cmocka_run_group_tests(tests, prepare_standard, tidy);
}
