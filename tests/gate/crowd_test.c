/* More hosts than the state has room for: who is forgotten, and who must not pay for it. */
#include "gate_fixture.h"

#include <string.h>

#include "core/breaker.h"
#include "state/slots.h"

static const char configuration[] = "state: { hosts = 64; };\n"
                                    "policies: { p: { breaker: { consecutive = 2; open = \"60s\"; }; retry: "
                                    "{ attempts = 2; backoff: { base = "
                                    "\"0s\"; }; }; }; };\n"
                                    "hosts = ( { match = \"*.test\"; policy = \"p\"; } );\n";

/* So many others are called that no memory of an older host is left. */
static void meet_others(void)
{
    for (int i = 0; i < 2000; i++) {
        struct place place = new_host("other.test");
        pass_ms(1);
        one_call(&place, outcome_of_status(200));
    }
}

static void a_failure_counts_for_its_host_though_another_has_its_place_by_now(void **state)
{
    struct place place = new_host("long.test");
    struct gate_call calls[2] = {open_call(&place), open_call(&place)};
    struct layout_host *before = calls[0].slot;
    (void)state;

    for (int i = 0; i < 2; i++)
        assert_int_equal(gate_admit(&calls[i], false).kind, VERDICT_GO);
    meet_others();
    assert_false(slots_is_still(before, calls[0].key));
    for (int i = 0; i < 2; i++)
        end(&calls[i], outcome_of_status(503));
    assert_int_equal(atomic_load(&before->circuit), 0);
    assert_int_equal(atomic_load(&before->counters[LAYOUT_COUNT_failures]), 0);
    assert_int_equal(one_call(&place, outcome_of_status(200)).reason, VERDICT_CIRCUIT_OPEN);
    gate_leave(&calls[0]);
    gate_leave(&calls[1]);
}

static void a_second_try_asks_its_own_hosts_circuit(void **state)
{
    struct place place = new_host("long.test");
    struct gate_call call = open_call(&place);
    struct layout_host *before = call.slot;
    (void)state;

    gate_admit(&call, false);
    assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_AGAIN);
    meet_others();
    atomic_store(&before->circuit, breaker_forced_open(now_us / 1000, 0)); /* another host's by now */
    assert_int_equal(gate_admit(&call, false).kind, VERDICT_GO);
    end(&call, outcome_of_status(200));
    gate_leave(&call);
}

static int prepare(void **state)
{
    (void)state;
    return prepare_with(configuration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_counts_for_its_host_though_another_has_its_place_by_now),
        cmocka_unit_test(a_second_try_asks_its_own_hosts_circuit),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
