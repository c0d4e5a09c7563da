/* The rate limit, and what a host asks for itself: over all processes together, on the virtual clock. */
#include "gate_fixture.h"

static const char configuration[] =
    "policies: {\n"
    "  thirty:  { limit: { rate = 30; per = \"60s\"; burst = 5; }; };\n"
    "  patient: { limit: { rate = 30; per = \"60s\"; burst = 5; wait = \"10s\"; }; };\n"
    "  asked:   { retry: { attempts = 2; retry_after = \"20s\"; backoff: { base = \"1ms\"; }; }; timeout: { "
    "total = \"60s\"; }; };\n"
    "  hurried: { retry: { retry_after = \"20s\"; }; timeout: { total = \"3s\"; }; };\n"
    "  wide:    { limit: { rate = 600; per = \"60s\"; burst = 20; }; };\n"
    "  first:   { limit: { rate = 600; per = \"60s\"; burst = 20; }; breaker: { scope = \"host\"; }; };\n"
    "  second:  { limit: { rate = 1; per = \"60s\"; burst = 2; }; breaker: { scope = \"host\"; }; };\n"
    "};\n"
    "hosts = ( { match = \"*.wide.test\"; policy = \"wide\"; },\n"
    "          { match = \"*.wide.test\"; paths = [\"/tight\"]; policy = \"wide\"; limit: { rate = 1; burst "
    "= 2; }; },\n"
    "          { match = \"*.wide.test\"; paths = [\"/quick\"]; policy = \"wide\"; timeout: { total = "
    "\"1s\"; }; },\n"
    "          { match = \"*.scope.test\"; policy = \"first\"; },\n"
    "          { match = \"*.scope.test\"; paths = [\"/tight\"]; policy = \"second\"; },\n"
    "  { match = \"*.thirty.test\"; policy = \"thirty\"; }, { match = \"*.patient.test\"; policy = "
    "\"patient\"; },\n"
    "          { match = \"*.asked.test\"; policy = \"asked\"; }, { match = \"*.hurried.test\"; policy = "
    "\"hurried\"; } );\n";

static void ten_side_by_side_share_thirty_a_minute_and_a_burst_of_five(void **state)
{
    struct place place = new_host("thirty.test");
    struct gate_call calls[10];
    int went = 0;
    (void)state;

    for (int i = 0; i < 10; i++)
        calls[i] = open_call(&place);
    /* For a minute each asks once a tenth of a second, as ten processes that loop would. */
    for (int turn = 0; turn < 600; turn++) {
        for (int i = 0; i < 10; i++)
            went += gate_admit(&calls[i], false).kind == VERDICT_GO;
        pass_ms(100);
    }
    assert_in_range(went, 34, 35); /* five at once, and one each two seconds */
    for (int i = 0; i < 10; i++)
        gate_close(&calls[i]);
}

static void those_that_may_wait_are_let_through_one_by_one_at_the_rate(void **state)
{
    struct place place = new_host("patient.test");
    uint32_t waits[12];
    (void)state;

    for (int i = 0; i < 12; i++) {
        struct gate_call call = open_call(&place);
        struct verdict verdict = gate_admit(&call, true);
        waits[i] = verdict.kind == VERDICT_WAIT     ? verdict.wait_ms
                   : verdict.kind == VERDICT_REFUSE ? 99999
                                                    : 0;
        gate_close(&call);
    }
    for (int i = 0; i < 12; i++)
        assert_int_equal(waits[i], i < 5 ? 0 : i < 10 ? (uint32_t)(i - 4) * 2000 : 99999);
}

/* ---- whose a bucket is ---- */

static bool goes(const struct place *place, const char *path)
{
    struct rules_query query = {
        .place = place, .method = METHOD_GET, .path = path, .path_length = (uint32_t)strlen(path)};
    struct gate_call call = {.policy = NULL};

    assert_true(gate_open(&call, &query, true));
    bool does = gate_admit(&call, false).kind == VERDICT_GO;
    if (does)
        end(&call, outcome_of_status(200));
    gate_leave(&call);
    return does;
}

static unsigned how_many_go(const struct place *place, const char *path, const char *between)
{
    unsigned count = 0;

    for (int i = 0; i < 30; i++) {
        count += goes(place, path);
        pass_ms(10);
        if (between)
            goes(place, between);
    }
    return count;
}

/* A word that is a rule's is damage to one with other numbers, and was taken for a full bucket. */
static void a_limit_that_a_rule_puts_in_the_place_of_its_policys_has_a_bucket_of_its_own(void **state)
{
    struct place place = new_host("wide.test");
    (void)state;

    assert_int_equal(how_many_go(&place, "/tight", "/"), 2);
    place = new_host("wide.test");
    assert_in_range(how_many_go(&place, "/", "/tight"), 20, 23);
}

static void rules_of_one_policy_that_differ_in_other_groups_share_its_bucket(void **state)
{
    struct place place = new_host("wide.test");
    (void)state;

    assert_in_range(how_many_go(&place, "/", "/quick"), 10, 13);
}

static void policies_that_share_a_hosts_circuit_have_buckets_of_their_own(void **state)
{
    struct place place = new_host("scope.test");
    (void)state;

    assert_int_equal(how_many_go(&place, "/tight", "/"), 2);
}

/* ---- Retry-After ---- */

static void ask_for_patience(const struct place *place, int64_t ms)
{
    struct gate_call call = open_call(place);
    struct gate_attempt attempt = attempt_of(outcome_of_status(429));

    attempt.retry_after_ms = ms;
    attempt.method = METHOD_POST; /* it may not be repeated; the host is heard all the same */
    gate_admit(&call, true);
    gate_ended(&call, &attempt);
    gate_close(&call);
}

static void what_a_host_asks_of_one_process_the_next_one_heeds(void **state)
{
    struct place place = new_host("asked.test"), other = new_host("asked.test");
    (void)state;

    ask_for_patience(&place, 5000);
    struct gate_call call = open_call(&place), elsewhere = open_call(&other);
    uint64_t began_us = now_us;
    assert_int_equal(gate_admit(&elsewhere, true).kind, VERDICT_GO);
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_LATER);
    assert_int_equal(insist(&call).kind, VERDICT_GO);
    assert_in_range(now_us - began_us, 5000000, 5626000); /* an eighth is for not coming all at once */
    assert_int_equal(counted(&call, LAYOUT_COUNT_waited), 1);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    gate_close(&elsewhere);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    assert_int_equal(atomic_load(&call.slot->patience_ms), 0);
}

static void where_it_may_not_wait_or_has_not_the_time_it_goes(void **state)
{
    struct place place = new_host("asked.test"), hurried = new_host("hurried.test");
    (void)state;

    ask_for_patience(&place, 5000);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    ask_for_patience(&hurried, 5000);
    struct gate_call call = open_call(&hurried);
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO); /* its three seconds would pass */
    gate_close(&call);
}

static void what_is_longer_than_the_rule_honours_is_not_remembered(void **state)
{
    struct place place = new_host("asked.test");
    (void)state;

    ask_for_patience(&place, 21000);
    struct gate_call call = open_call(&place);
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    gate_close(&call);
}

static void no_call_waits_longer_than_the_rule_says_however_often_the_host_asks(void **state)
{
    struct place place = new_host("asked.test");
    (void)state;

    ask_for_patience(&place, 15000);
    struct gate_call call = open_call(&place);
    uint64_t began_us = now_us;
    struct verdict verdict = gate_admit(&call, true);
    assert_int_equal(verdict.kind, VERDICT_LATER);
    pass_ms(10000);
    ask_for_patience(&place, 20000);
    pass_ms(verdict.wait_ms - 10000);
    assert_int_equal(insist(&call).kind, VERDICT_GO);
    assert_in_range(now_us - began_us, 15000000, 21000000);
    gate_close(&call);
}

static void a_repeated_call_that_waited_itself_does_not_wait_once_more(void **state)
{
    struct place place = new_host("asked.test");
    struct gate_call call = open_call(&place);
    struct gate_attempt attempt = attempt_of(outcome_of_status(503));
    (void)state;

    attempt.retry_after_ms = 3000;
    gate_admit(&call, true);
    struct verdict verdict = gate_ended(&call, &attempt);
    assert_int_equal(verdict.kind, VERDICT_AGAIN);
    assert_int_equal(verdict.wait_ms, 3000);
    pass_ms(3000);
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    end(&call, outcome_of_status(200));
    gate_close(&call);
}

static void a_routine_call_asks_too_once_the_host_has_asked(void **state)
{
    struct place place = new_host("asked.test");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    ask_for_patience(&place, 5000);
    assert_false(gate_repeat(&call));
}

static int prepare(void **state)
{
    (void)state;
    return prepare_with(configuration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_side_by_side_share_thirty_a_minute_and_a_burst_of_five),
        cmocka_unit_test(those_that_may_wait_are_let_through_one_by_one_at_the_rate),
        cmocka_unit_test(a_limit_that_a_rule_puts_in_the_place_of_its_policys_has_a_bucket_of_its_own),
        cmocka_unit_test(rules_of_one_policy_that_differ_in_other_groups_share_its_bucket),
        cmocka_unit_test(policies_that_share_a_hosts_circuit_have_buckets_of_their_own),
        cmocka_unit_test(what_a_host_asks_of_one_process_the_next_one_heeds),
        cmocka_unit_test(where_it_may_not_wait_or_has_not_the_time_it_goes),
        cmocka_unit_test(what_is_longer_than_the_rule_honours_is_not_remembered),
        cmocka_unit_test(no_call_waits_longer_than_the_rule_says_however_often_the_host_asks),
        cmocka_unit_test(a_repeated_call_that_waited_itself_does_not_wait_once_more),
        cmocka_unit_test(a_routine_call_asks_too_once_the_host_has_asked),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
