/* The switch and shadow: off means untouched, shadow decides and changes nothing. */
#include "gate_fixture.h"

#include "state/control.h"

static void the_switch_turns_rules_off_and_on_in_running_programs(void **state)
{
    struct place place = new_host("example");
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
    struct place place = new_host("example");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_switch_turns_rules_off_and_on_in_running_programs),
        cmocka_unit_test(shadow_decides_on_a_memory_of_its_own_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, prepare_standard, tidy);
}
