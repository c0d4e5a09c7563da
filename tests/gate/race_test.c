/* A second attempt at the same time: when it may be made, who pays for it, and what is counted of the two. */
#include "gate/race.h"

#include "gate_fixture.h"

static const char configuration[] =
    "policies: {\n"
    "  fixed: { hedge: { after = \"200ms\"; }; retry: { attempts = 2; }; breaker: { consecutive = 3; }; };\n"
    "  tail: { hedge: { after = \"p95\"; }; };\n"
    "  poor: { hedge: { after = \"200ms\"; }; retry: { budget: { ratio = 0; floor = 1; }; }; };\n"
    "  few: { hedge: { after = \"200ms\"; }; bulkhead: { calls = 2; }; };\n"
    "  slow: { hedge: { after = \"200ms\"; }; limit: { rate = 1; per = \"1h\"; burst = 2; }; };\n"
    "};\n"
    "hosts = ( { match = \"*.fixed\"; policy = \"fixed\"; }, { match = \"*.tail\"; policy = \"tail\"; },\n"
    "          { match = \"*.poor\"; policy = \"poor\"; }, { match = \"*.few\"; policy = \"few\"; },\n"
    "          { match = \"*.slow\"; policy = \"slow\"; },\n"
    "          { match = \"*.seen\"; policy = \"fixed\"; mode = \"shadow\"; },\n"
    "          { match = \"*\"; policy = \"standard\"; } );\n";

static int prepare(void **state)
{
    (void)state;
    return prepare_with(configuration);
}

/* A call whose first attempt is under way. */
static struct gate_call begin(const char *domain)
{
    struct place place = new_host(domain);
    struct gate_call call = open_call(&place);

    assert_int_equal(gate_admit(&call, false).kind, VERDICT_GO);
    return call;
}

static void calls_to(const struct place *place, int count, uint32_t took_ms)
{
    for (int i = 0; i < count; i++) {
        struct gate_call call = open_call(place);
        gate_admit(&call, false);
        pass_ms(took_ms);
        end(&call, outcome_of_status(200));
        gate_close(&call);
    }
}

static void only_a_first_attempt_under_a_rule_that_says_so_is_hedged(void **state)
{
    struct gate_call call = begin("fixed"), other = begin("example");
    (void)state;

    assert_int_equal(race_after_us(&call), 200000);
    assert_int_equal(race_after_us(&other), 0);
    end(&call, outcome_of_status(503));
    gate_admit(&call, true);
    assert_int_equal(race_after_us(&call), 0);
    gate_close(&call);
    gate_close(&other);
}

static void a_quantile_is_of_the_hosts_own_latencies_and_of_twenty_or_more(void **state)
{
    struct place place = new_host("tail");
    (void)state;

    calls_to(&place, RACE_SAMPLES - 1, 100);
    struct gate_call call = open_call(&place);
    gate_admit(&call, false);
    assert_int_equal(race_after_us(&call), 0);
    pass_ms(100);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    call = open_call(&place);
    gate_admit(&call, false);
    assert_in_range(race_after_us(&call), 85000, 120000);
    gate_close(&call);
}

static void it_is_counted_and_paid_as_a_retry_is(void **state)
{
    struct gate_call call = begin("fixed");
    (void)state;

    assert_true(race_begins(&call));
    assert_int_equal(counted(&call, LAYOUT_COUNT_attempts), 2);
    assert_int_equal(counted(&call, LAYOUT_COUNT_hedged), 1);
    assert_int_equal(counted(&call, LAYOUT_COUNT_retries), 0);
    race_won(&call);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_hedge_won), 1);
    assert_int_equal(counted(&call, LAYOUT_COUNT_rescued), 0);
}

static void a_spent_budget_pays_for_none(void **state)
{
    struct place place = new_host("poor");
    int begun = 0;
    (void)state;

    for (int i = 0; i < 30; i++) {
        struct gate_call call = open_call(&place);
        gate_admit(&call, false);
        begun += race_begins(&call);
        race_over(&call);
        end(&call, outcome_of_status(200));
        gate_close(&call);
    }
    assert_int_equal(begun, 10); /* one a second, over ten */
}

static void it_needs_a_place_of_its_own_and_gives_it_back(void **state)
{
    struct place place = new_host("few");
    struct gate_call call = open_call(&place), other = open_call(&place);
    (void)state;

    gate_admit(&call, false);
    assert_true(race_begins(&call));
    assert_int_equal(gate_admit(&other, false).reason, VERDICT_CROWDED);
    race_over(&call);
    assert_int_equal(gate_admit(&other, false).kind, VERDICT_GO);
    assert_false(race_begins(&call));
    gate_close(&other);
    assert_true(race_begins(&call));
    gate_close(&call);
    other = open_call(&place);
    assert_int_equal(gate_admit(&other, false).kind, VERDICT_GO);
    assert_true(race_begins(&other));
    race_over(&other);
    gate_close(&other);
}

static void it_takes_a_token_and_waits_for_none(void **state)
{
    struct gate_call call = begin("slow");
    (void)state;

    assert_true(race_begins(&call));
    race_over(&call);
    assert_false(race_begins(&call));
    gate_close(&call);
}

static void while_the_circuit_is_open_or_probes_there_is_none(void **state)
{
    struct place place = new_host("fixed");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, false);
    for (int i = 0; i < 3; i++)
        one_call(&place, outcome_of_status(503));
    assert_false(race_begins(&call)); /* it opened meanwhile */
    gate_close(&call);
    pass_ms(10000);
    call = open_call(&place);
    assert_int_equal(gate_admit(&call, false).kind, VERDICT_GO);
    assert_int_equal(race_after_us(&call), 0); /* a probe */
    gate_close(&call);
}

static void where_the_first_fails_the_second_goes_on_as_the_next(void **state)
{
    struct gate_call call = begin("fixed");
    (void)state;

    assert_true(race_begins(&call));
    struct verdict verdict = end(&call, outcome_of_curl(56));
    assert_int_equal(verdict.kind, VERDICT_AGAIN);
    assert_int_equal(verdict.reason, VERDICT_RACED);
    assert_int_equal(verdict.wait_ms, 0);
    race_goes_on(&call);
    assert_int_equal(call.attempt, 2);
    race_won(&call);
    assert_int_equal(end(&call, outcome_of_status(200)).kind, VERDICT_STOP);
    gate_close(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_failures), 1);
    assert_int_equal(counted(&call, LAYOUT_COUNT_rescued), 1);
    assert_int_equal(counted(&call, LAYOUT_COUNT_attempts), 2);
}

static void what_is_not_tried_again_is_not_waited_for(void **state)
{
    struct gate_call call = begin("fixed");
    (void)state;

    assert_true(race_begins(&call));
    assert_int_equal(end(&call, outcome_of_curl(42)).kind, VERDICT_STOP);
    race_over(&call);
    gate_close(&call);
}

static void a_second_that_fails_is_counted_and_the_first_knows_nothing_of_it(void **state)
{
    struct gate_call call = begin("fixed");
    struct gate_attempt failed = attempt_of(outcome_of_status(503));
    (void)state;

    assert_true(race_begins(&call));
    race_lost(&call, &failed);
    assert_int_equal(counted(&call, LAYOUT_COUNT_failures), 1);
    assert_false(call.attempt_ended);
    assert_int_equal(end(&call, outcome_of_status(200)).reason, VERDICT_SUCCEEDED);
    gate_close(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_failed), 0);
    assert_int_equal(counted(&call, LAYOUT_COUNT_rescued), 0);
}

static void one_that_is_given_up_counts_for_nobody(void **state)
{
    struct gate_call call = begin("fixed");
    (void)state;

    assert_true(race_begins(&call));
    race_over(&call);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_failures), 0);
    assert_int_equal(counted(&call, LAYOUT_COUNT_hedge_won), 0);
}

static void in_shadow_it_is_only_counted(void **state)
{
    struct gate_call call = begin("seen");
    (void)state;

    assert_int_equal(race_after_us(&call), 0);
    pass_ms(150);
    race_would(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_would_hedge), 0);
    pass_ms(100);
    race_would(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_would_hedge), 1);
    end(&call, outcome_of_status(200));
    gate_close(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_first_attempt_under_a_rule_that_says_so_is_hedged),
        cmocka_unit_test(a_quantile_is_of_the_hosts_own_latencies_and_of_twenty_or_more),
        cmocka_unit_test(it_is_counted_and_paid_as_a_retry_is),
        cmocka_unit_test(a_spent_budget_pays_for_none),
        cmocka_unit_test(it_needs_a_place_of_its_own_and_gives_it_back),
        cmocka_unit_test(it_takes_a_token_and_waits_for_none),
        cmocka_unit_test(while_the_circuit_is_open_or_probes_there_is_none),
        cmocka_unit_test(where_the_first_fails_the_second_goes_on_as_the_next),
        cmocka_unit_test(what_is_not_tried_again_is_not_waited_for),
        cmocka_unit_test(a_second_that_fails_is_counted_and_the_first_knows_nothing_of_it),
        cmocka_unit_test(one_that_is_given_up_counts_for_nobody),
        cmocka_unit_test(in_shadow_it_is_only_counted),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
