/* Which failures open the circuit and which do not, and the probes that close it. Under `standard`. */
#include "gate_fixture.h"

static void five_failures_open_the_circuit_and_a_probe_closes_it(void **state)
{
    struct place place = new_host("example");
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
    struct place place = new_host("example");
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
    struct place place = new_host("example");
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
    struct place place = new_host("example");
    (void)state;

    open_circuit(&place);
    pass_ms(5001);
    struct gate_call left = open_call(&place);
    assert_int_equal(gate_admit(&left, true).kind, VERDICT_GO);
    gate_close(&left);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
}

static void good_replies_that_have_begun_break_a_row_of_failures(void **state)
{
    struct place place = new_host("example");
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
    struct place place = new_host("example");
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
    struct place place = new_host("example");
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

static void what_the_program_caused_never_opens_the_circuit(void **state)
{
    struct place place = new_host("example");
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
    struct place place = new_host("example");
    (void)state;

    for (int i = 0; i < 200; i++) {
        assert_int_equal(one_call(&place, outcome_of_status(i % 2 ? 503 : 200)).kind, VERDICT_GO);
        pass_ms(50);
    }
}

static void a_refusal_is_explained_with_host_reason_and_time(void **state)
{
    struct place place = new_host("example");
    char text[256];
    (void)state;

    open_circuit(&place);
    struct gate_call call = open_call(&place);
    struct verdict verdict = gate_admit(&call, true);
    gate_explain(&call, &verdict, text, sizeof text);
    assert_non_null(
        strstr(text, "example:443 refused: circuit open by policy standard, next try in 5000 ms"));
    static const struct {
        uint32_t wait_ms;
        const char *said;
    } waits[] = {
        {9999,    ", next try in 9999 ms" },
        {10000,   ", next try in 10 s"    },
        {27001,   ", next try in 28 s"    },
        {59001,   ", next try in 1 m 0 s" },
        {200000,  ", next try in 3 m 20 s"},
        {3600000, ", next try in 1 h 0 m" },
        {7479001, ", next try in 2 h 5 m" },
    };
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        struct verdict later = verdict;
        later.wait_ms = waits[i].wait_ms;
        size_t length = gate_explain(&call, &later, text, sizeof text);
        assert_string_equal(text + length - strlen(waits[i].said), waits[i].said);
    }
    assert_int_equal(gate_explain(&call, &verdict, text, 10), 9);
    assert_int_equal(strlen(text), 9);
    gate_close(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_failures_open_the_circuit_and_a_probe_closes_it),
        cmocka_unit_test(only_one_probe_goes_and_a_failed_one_doubles_the_open_time),
        cmocka_unit_test(a_killed_prober_blocks_nobody_for_longer_than_its_lease),
        cmocka_unit_test(a_probe_that_is_given_up_gives_its_place_back),
        cmocka_unit_test(good_replies_that_have_begun_break_a_row_of_failures),
        cmocka_unit_test(good_replies_that_end_break_a_row_of_failures_that_end),
        cmocka_unit_test(a_good_reply_counts_once_and_a_body_that_breaks_off_still_fails),
        cmocka_unit_test(what_the_program_caused_never_opens_the_circuit),
        cmocka_unit_test(half_of_many_calls_may_fail_without_opening_the_circuit),
        cmocka_unit_test(a_refusal_is_explained_with_host_reason_and_time),
    };
    return cmocka_run_group_tests(tests, prepare_standard, tidy);
}
