/* The circuit as a whole: slow replies, growing open times, waiting for it, by hand, and a machine without a
 * network. */
#include "gate_fixture.h"

#include <errno.h>

#include "core/breaker.h"

static const char configuration[] =
    "policies: {\n"
    "  plain:   { breaker: { open = \"5s\"; open_cap = \"60s\"; }; retry: { attempts = 1; }; };\n"
    "  slow:    { breaker: { slow: { over = \"1s\"; percent = 50; }; rate: { minimum = 4; }; }; };\n"
    "  waits:   { breaker: { reject = \"wait\"; }; timeout: { total = \"60s\"; }; retry: { }; };\n"
    "  replies: { breaker: { reject = 503; }; limit: { rate = 1; burst = 1; reject = \"429\"; }; };\n"
    "  names:   { breaker: { on = [\"dns\", \"connect\"]; }; retry: { attempts = 1; }; };\n"
    "};\n"
    "hosts = ( { match = \"*.plain.test\"; policy = \"plain\"; }, { match = \"*.slow.test\"; policy = "
    "\"slow\"; },\n"
    "          { match = \"*.waits.test\"; policy = \"waits\"; }, { match = \"*.replies.test\"; policy = "
    "\"replies\"; },\n"
    "          { match = \"*.names.test\"; policy = \"names\"; }, { match = \"localhost\"; policy = "
    "\"names\"; } );\n";

static void fail_times(const struct place *place, int times, struct outcome outcome)
{
    for (int i = 0; i < times; i++)
        one_call(place, outcome);
}

static void set_circuit(const struct place *place, uint64_t word)
{
    struct gate_call call = open_call(place);
    atomic_store(&call.slot->circuit, word);
    gate_close(&call);
}

/* How long the circuit says that it stays open. */
static uint32_t open_ms(const struct place *place)
{
    struct verdict verdict = one_call(place, outcome_of_status(200));
    assert_int_equal(verdict.kind, VERDICT_REFUSE);
    return verdict.wait_ms;
}

/* ---- the open time ---- */

static void one_that_opens_again_soon_stays_open_longer_and_calm_takes_that_back(void **state)
{
    struct place place = new_host("plain.test");
    (void)state;

    fail_times(&place, 5, outcome_of_status(503));
    assert_int_equal(open_ms(&place), 5000);
    pass_ms(5001);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO); /* it closes, */
    fail_times(&place, 5, outcome_of_status(503));                               /* and opens at once again */
    assert_int_equal(open_ms(&place), 10000);
    pass_ms(10001);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    pass_ms(12000); /* longer than it was open: one doubling is taken back */
    fail_times(&place, 5, outcome_of_status(503));
    assert_int_equal(open_ms(&place), 10000);
    pass_ms(10001);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    pass_ms(60000);
    fail_times(&place, 5, outcome_of_status(503));
    assert_int_equal(open_ms(&place), 5000);
}

/* Thirty that were under way when it broke down fill the window; they say nothing of what came after. */
static void the_failures_of_an_outage_do_not_open_the_circuit_again_when_it_is_over(void **state)
{
    struct place place = new_host("plain.test");
    struct gate_call calls[30];
    (void)state;

    for (int i = 0; i < 30; i++) {
        calls[i] = open_call(&place);
        assert_int_equal(gate_admit(&calls[i], false).kind, VERDICT_GO);
    }
    for (int i = 0; i < 30; i++) {
        end(&calls[i], outcome_of_status(503));
        gate_leave(&calls[i]);
    }
    pass_ms(5001);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    fail_times(&place, 8,
               outcome_of_status(503)); /* more than would open that of a host with little traffic */
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
}

static void chance_takes_up_to_a_tenth_off_the_open_time_so_that_hosts_do_not_probe_in_step(void **state)
{
    struct place place = new_host("plain.test"), other = new_host("plain.test");
    (void)state;

    dice = 0;
    fail_times(&place, 5, outcome_of_status(503));
    assert_in_range(open_ms(&place), 4500, 4501);
    dice = UINT64_MAX / 2;
    fail_times(&other, 5, outcome_of_status(503));
    assert_in_range(open_ms(&other), 4749, 4751);
    dice = UINT64_MAX;
}

/* ---- slowness ---- */

/* A call that ends well after so long; the reply begins then, too. */
static struct verdict call_of(const struct place *place, uint64_t ms)
{
    struct gate_call call = open_call(place);
    struct verdict verdict = gate_admit(&call, false);

    if (verdict.kind == VERDICT_GO) {
        pass_ms(ms);
        end(&call, outcome_of_status(200));
    }
    gate_close(&call);
    return verdict;
}

static void as_many_slow_replies_as_it_says_open_the_circuit(void **state)
{
    struct place place = new_host("slow.test");
    (void)state;

    call_of(&place, 10);
    call_of(&place, 10);
    call_of(&place, 1500);
    assert_int_equal(call_of(&place, 1500).kind, VERDICT_GO); /* two of four */
    assert_int_equal(call_of(&place, 10).reason, VERDICT_CIRCUIT_OPEN);
}

static void fast_ones_never_do_and_a_slow_probe_opens_it_again(void **state)
{
    struct place place = new_host("slow.test");
    (void)state;

    for (int i = 0; i < 50; i++)
        assert_int_equal(call_of(&place, 900).kind, VERDICT_GO);
    for (int i = 0; i < 60; i++)
        call_of(&place, 1100);
    assert_int_equal(call_of(&place, 10).reason, VERDICT_CIRCUIT_OPEN);
    pass_ms(5001);
    assert_int_equal(call_of(&place, 1100).kind, VERDICT_GO); /* the probe */
    assert_in_range(open_ms(&place), 9000, 10000);
    pass_ms(10001);
    assert_int_equal(call_of(&place, 10).kind, VERDICT_GO);
    assert_int_equal(call_of(&place, 10).kind, VERDICT_GO);
}

static void a_reply_is_timed_when_it_begins_not_when_its_body_has_come(void **state)
{
    struct place place = new_host("slow.test");
    (void)state;

    for (int i = 0; i < 20; i++) {
        struct gate_call call = open_call(&place);
        assert_int_equal(gate_admit(&call, false).kind, VERDICT_GO);
        assert_true(call.wants_answer);
        gate_answered(&call);
        pass_ms(5000);
        end(&call, outcome_of_status(200));
        gate_close(&call);
        assert_false(gate_repeat(&call));
    }
    assert_int_equal(call_of(&place, 10).kind, VERDICT_GO);
}

/* ---- waiting for it ---- */

static void who_waits_stays_until_the_circuit_closes(void **state)
{
    struct place place = new_host("waits.test");
    (void)state;

    fail_times(&place, 5, outcome_of_status(503));
    struct gate_call call = open_call(&place);
    uint64_t began_us = now_us;
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_LATER);
    assert_int_equal(insist(&call).kind, VERDICT_GO);
    assert_in_range(now_us - began_us, 4500000, 7000000);
    assert_int_equal(counted(&call, LAYOUT_COUNT_waited), 1);
    assert_true(call.round); /* as its probe */
    struct gate_call second = open_call(&place);
    struct verdict verdict = gate_admit(&second, true);
    assert_int_equal(verdict.kind, VERDICT_LATER);
    assert_in_range(verdict.wait_ms, 100, 150); /* the probe may be back soon */
    end(&call, outcome_of_status(200));
    gate_close(&call);
    assert_int_equal(gate_admit(&second, true).kind, VERDICT_GO);
    gate_close(&second);
}

static void it_is_refused_when_its_time_is_over_or_where_the_door_may_not_wait(void **state)
{
    struct place place = new_host("waits.test");
    (void)state;

    set_circuit(&place, breaker_forced_open(now_us / 1000, 0));
    struct gate_call call = open_call(&place);
    uint64_t began_us = now_us;
    assert_int_equal(insist(&call).reason, VERDICT_CIRCUIT_OPEN);
    assert_in_range(now_us - began_us, 59999000, 60001000);
    gate_close(&call);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_REFUSE);
}

static void a_failure_that_opens_the_circuit_is_tried_again_when_it_closes(void **state)
{
    struct place place = new_host("waits.test");
    (void)state;

    fail_times(&place, 4, outcome_of_status(503));
    struct gate_call call = open_call(&place);
    gate_admit(&call, true);
    assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_AGAIN);
    assert_int_equal(insist(&call).kind, VERDICT_GO);
    assert_int_equal(end(&call, outcome_of_status(200)).reason, VERDICT_SUCCEEDED);
    gate_close(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_rescued), 1);
}

static void a_refusal_says_which_reply_the_rule_asks_for(void **state)
{
    struct place place = new_host("replies.test"), plain = new_host("plain.test");
    (void)state;

    one_call(&place, outcome_of_status(200));
    struct gate_call call = open_call(&place);
    struct verdict verdict = gate_admit(&call, false);
    assert_int_equal(verdict.reason, VERDICT_LIMITED);
    assert_int_equal(gate_refusal_status(&call, &verdict), 429);
    atomic_store(&call.slot->circuit, breaker_forced_open(now_us / 1000, 0));
    verdict = gate_admit(&call, false);
    assert_int_equal(gate_refusal_status(&call, &verdict), 503);
    gate_close(&call);
    set_circuit(&plain, breaker_forced_open(now_us / 1000, 0));
    call = open_call(&plain);
    verdict = gate_admit(&call, false);
    assert_int_equal(gate_refusal_status(&call, &verdict), 0);
    gate_close(&call);
}

/* ---- by hand ---- */

static void a_circuit_that_is_held_closed_does_not_open_until_its_time_is_over(void **state)
{
    struct place place = new_host("plain.test");
    (void)state;

    set_circuit(&place, breaker_held_closed(now_us / 1000, 60000));
    fail_times(&place, 100, outcome_of_status(503));
    assert_int_equal(one_call(&place, outcome_of_status(503)).kind, VERDICT_GO);
    pass_ms(60001);
    fail_times(&place, 20, outcome_of_status(503));
    assert_int_equal(one_call(&place, outcome_of_status(503)).kind, VERDICT_REFUSE);
}

/* ---- no network ---- */

static void where_every_host_fails_for_want_of_a_network_no_circuit_opens(void **state)
{
    struct place places[4];
    (void)state;

    for (int i = 0; i < 4; i++)
        places[i] = new_host("names.test");
    for (int turn = 0; turn < 20; turn++) {
        pass_ms(10);
        for (int i = 0; i < 4; i++)
            one_call(&places[i], i % 2 ? outcome_of_errno(ENETUNREACH) : outcome_of_curl(6));
    }
    for (int i = 0; i < 4; i++) {
        struct gate_call call = open_call(&places[i]);
        assert_int_equal(gate_admit(&call, false).kind, VERDICT_GO);
        assert_int_equal(counted(&call, LAYOUT_COUNT_opened), 0);
        end(&call, outcome_of_status(200));
        gate_close(&call);
    }
    assert_int_equal(atomic_load(&gate_ready(false)->state.header->suspect), 0); /* the network is back */
}

static void a_host_that_fails_alone_opens_its_circuit(void **state)
{
    struct place dead = new_host("names.test"), alive = new_host("names.test"), also = new_host("names.test");
    (void)state;

    for (int i = 0; i < 10; i++) {
        one_call(&dead, outcome_of_errno(EHOSTUNREACH));
        one_call(&alive, outcome_of_status(200));
        one_call(&also, outcome_of_errno(EHOSTUNREACH));
        one_call(&alive, outcome_of_status(200));
    }
    assert_int_equal(one_call(&dead, outcome_of_status(200)).kind, VERDICT_REFUSE);
    assert_int_equal(one_call(&also, outcome_of_status(200)).kind, VERDICT_REFUSE);
}

static void hosts_that_refuse_are_reached_and_so_is_no_network_what_is_on_this_machine(void **state)
{
    struct place one = new_host("names.test"), two = new_host("names.test"), here;
    (void)state;

    assert_true(place_from_host(&here, "localhost", 9, 80));
    for (int i = 0; i < 5; i++) {
        one_call(&one, outcome_of_errno(ECONNREFUSED));
        one_call(&two, outcome_of_errno(ECONNREFUSED));
        one_call(&here, outcome_of_errno(ENETUNREACH));
    }
    assert_int_equal(one_call(&one, outcome_of_status(200)).kind, VERDICT_REFUSE);
    assert_int_equal(one_call(&two, outcome_of_status(200)).kind, VERDICT_REFUSE);
}

static void a_routine_call_that_ends_well_ends_the_suspicion_at_once(void **state)
{
    struct place dead = new_host("names.test"), alive = new_host("plain.test");
    struct gate_call call = open_call(&alive);
    (void)state;

    gate_admit(&call, false);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    one_call(&dead, outcome_of_errno(ENETUNREACH));
    assert_true(atomic_load(&call.ready->state.header->suspect));
    assert_true(gate_repeat(&call));
    gate_repeated(&call);
    assert_false(atomic_load(&call.ready->state.header->suspect));
}

static void a_success_on_this_machine_is_no_sign_of_a_network(void **state)
{
    struct place one = new_host("names.test"), two = new_host("names.test"), here;
    (void)state;

    assert_true(place_from_host(&here, "localhost", 9, 81));
    for (int i = 0; i < 20; i++) {
        one_call(&one, outcome_of_errno(ENETUNREACH));
        one_call(&here, outcome_of_status(200));
        one_call(&two, outcome_of_errno(ENETUNREACH));
    }
    assert_int_equal(one_call(&two, outcome_of_status(200)).kind, VERDICT_GO);
    one_call(&one, outcome_of_errno(ENETUNREACH));
    pass_ms(20000);
    one_call(&here, outcome_of_status(200));
    assert_false(atomic_load(&gate_ready(false)->state.header->suspect)); /* but an old suspicion ends */
}

static int prepare(void **state)
{
    (void)state;
    return prepare_with(configuration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_opens_again_soon_stays_open_longer_and_calm_takes_that_back),
        cmocka_unit_test(the_failures_of_an_outage_do_not_open_the_circuit_again_when_it_is_over),
        cmocka_unit_test(chance_takes_up_to_a_tenth_off_the_open_time_so_that_hosts_do_not_probe_in_step),
        cmocka_unit_test(as_many_slow_replies_as_it_says_open_the_circuit),
        cmocka_unit_test(fast_ones_never_do_and_a_slow_probe_opens_it_again),
        cmocka_unit_test(a_reply_is_timed_when_it_begins_not_when_its_body_has_come),
        cmocka_unit_test(who_waits_stays_until_the_circuit_closes),
        cmocka_unit_test(it_is_refused_when_its_time_is_over_or_where_the_door_may_not_wait),
        cmocka_unit_test(a_failure_that_opens_the_circuit_is_tried_again_when_it_closes),
        cmocka_unit_test(a_refusal_says_which_reply_the_rule_asks_for),
        cmocka_unit_test(a_circuit_that_is_held_closed_does_not_open_until_its_time_is_over),
        cmocka_unit_test(where_every_host_fails_for_want_of_a_network_no_circuit_opens),
        cmocka_unit_test(a_host_that_fails_alone_opens_its_circuit),
        cmocka_unit_test(hosts_that_refuse_are_reached_and_so_is_no_network_what_is_on_this_machine),
        cmocka_unit_test(a_routine_call_that_ends_well_ends_the_suspicion_at_once),
        cmocka_unit_test(a_success_on_this_machine_is_no_sign_of_a_network),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
