/* Scenarios: the queue of events, the server, and whole runs under the engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/queue.h"
#include "sim/run.h"
#include "sim/server.h"
#include "sim_fixture.h"

/* ---- the queue ---- */

static void events_come_by_their_time_and_in_the_order_they_were_put_in(void **state)
{
    struct queue queue = {0};
    struct queue_event event;
    uint64_t last_us = 0;
    uint32_t last = 0;
    (void)state;

    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(queue_put(&queue, (struct queue_event){.at_us = i * 7919 % 100, .who = i}), 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(queue_take(&queue, &event));
        assert_true(event.at_us > last_us || (event.at_us == last_us && (i == 0 || event.who > last)));
        last_us = event.at_us;
        last = event.who;
    }
    assert_false(queue_take(&queue, &event));
    queue_clear(&queue);
}

/* ---- the server ---- */

static struct scenario scenario_of(const char *name)
{
    struct scenario scenario;

    assert_true(scenario_find(name, &scenario));
    return scenario;
}

static void the_trouble_lasts_the_second_quarter_where_nothing_else_is_said(void **state)
{
    struct scenario scenario = scenario_of("outage");
    (void)state;

    scenario_complete(&scenario);
    assert_false(scenario_troubles(&scenario, 14999999));
    assert_true(scenario_troubles(&scenario, 15000000));
    assert_true(scenario_troubles(&scenario, 29999999));
    assert_false(scenario_troubles(&scenario, 30000000));
    assert_int_equal(scenario.workers, 21);
}

static void requests_wait_for_a_worker_and_beyond_the_line_they_are_turned_away(void **state)
{
    struct scenario scenario = scenario_of("slow");
    struct server server;
    struct server_request request, first = {1, 1}, second = {2, 1}, third = {3, 1};
    struct server_fate fate;
    (void)state;

    scenario.workers = scenario.backlog = 1;
    scenario_complete(&scenario);
    assert_int_equal(server_init(&server, &scenario), 0);
    fate = server_arrive(&server, &first, 0);
    assert_true(fate.is_worked && fate.outcome.status == 200);
    assert_in_range(fate.after_us, 50000, 150000);
    assert_true(server_arrive(&server, &second, 0).is_queued);
    fate = server_arrive(&server, &third, 0);
    assert_false(fate.is_worked || fate.is_queued);
    assert_int_equal(fate.outcome.status, 503);
    /* The worker takes the next; in the trouble that takes it fifty times as long. */
    assert_true(server_next(&server, 20000000, &request, &fate));
    assert_int_equal(request.client, 2);
    assert_in_range(fate.after_us, 2500000, 7500000);
    assert_false(server_next(&server, 21000000, &request, &fate));
    server_clear(&server);
}

static void a_server_that_is_out_refuses_connections(void **state)
{
    struct scenario scenario = scenario_of("outage");
    struct server server;
    struct server_request request = {1, 1};
    (void)state;

    scenario_complete(&scenario);
    assert_int_equal(server_init(&server, &scenario), 0);
    assert_int_equal(server_arrive(&server, &request, 1000000).outcome.type, OUTCOME_SUCCESS);
    assert_int_equal(server_arrive(&server, &request, 16000000).outcome.type, OUTCOME_CONNECT);
    server_clear(&server);
}

/* ---- whole runs ---- */

static struct result play(const char *name, const char *policy, const char *set)
{
    struct scenario scenario = scenario_of(name);
    struct rules_query query = fixture_query();
    struct result result;

    scenario_complete(&scenario);
    assert_int_equal(
        run_scenario(&scenario, policy ? fixture_rules(policy, set) : NULL, &query, NULL, &result), 0);
    assert_int_equal(result.calls, result.good + result.failed + result.refused);
    result_clear(&result);
    return result;
}

static void bare_calls_are_attempts_and_fail_in_the_outage(void **state)
{
    struct result result = play("outage", NULL, NULL);
    (void)state;

    assert_int_equal(result.attempts, result.calls);
    assert_in_range(result.calls, 5900, 6100); /* a hundred a second for a minute */
    assert_in_range(result.failed, 1450, 1550);
    assert_int_equal(result.rescued + result.refused + result.opened, 0);
}

static void the_circuit_spares_a_server_that_is_out(void **state)
{
    struct result result = play("outage", "standard", "breaker.open=2s\nbreaker.open_cap=2s");
    (void)state;

    /* Fifteen seconds: those that are under way when it opens, and a probe every two. */
    assert_in_range(result.troubled_attempts, 6, 40);
    assert_in_range(result.opened, 7, 8);
    assert_in_range(result.last_bad_us, 30000000, 32200000);
    assert_true(result.slices[20].circuit[BREAKER_OPEN] > 0.9);
    assert_true(result.slices[5].circuit[BREAKER_CLOSED] > 0.99);
    assert_true(result.slices[40].circuit[BREAKER_CLOSED] > 0.99);
}

static void random_failures_are_rescued_at_the_price_of_their_share_in_load(void **state)
{
    struct result bare = play("flaky", NULL, NULL), result = play("flaky", "standard", "");
    (void)state;

    assert_in_range(bare.good * 1000 / bare.calls, 885, 915);
    assert_true(result.good * 1000 / result.calls > 995);
    assert_in_range(result.attempts * 1000 / result.calls, 1095, 1125); /* 1 + 0.1 + 0.01 */
    assert_in_range(result.rescued, 500, 700);
}

static void the_budget_bounds_what_retries_add(void **state)
{
    struct result result = play("brownout", "standard", "retry.budget.ratio=5\nretry.budget.floor=0");
    (void)state;

    assert_in_range(result.attempts - result.calls, 50, result.calls * 6 / 100);
}

static void an_attempt_ends_at_the_policys_limit(void **state)
{
    struct result patient = play("slow", "standard", ""), hasty;
    (void)state;

    hasty = play("slow", "standard", "timeout.attempt=1s\nretry.attempts=1");
    assert_int_equal(patient.failed, 0);
    assert_true(hasty.failed > 5);
    assert_true(hasty.opened > 0);
}

static void a_limit_on_the_rate_refuses_or_makes_wait(void **state)
{
    struct result refused = play("overload", "standard", "limit.rate=200\nlimit.per=1s\nlimit.burst=20");
    struct result waited =
        play("overload", "standard", "limit.rate=200\nlimit.per=1s\nlimit.burst=20\nlimit.wait=2s");
    (void)state;

    assert_true(refused.refused > 1000);
    assert_in_range(refused.troubled_attempts, 2800, 3050); /* 200 a second for fifteen seconds */
    assert_in_range(waited.troubled_attempts, 2800, 3050);
    assert_true(waited.refused < refused.refused / 2);
}

static void the_same_seed_gives_the_same_run_and_another_another(void **state)
{
    struct result first = play("flaky", "standard", ""), second = play("flaky", "standard", "");
    struct scenario scenario = scenario_of("flaky");
    struct rules_query query = fixture_query();
    struct result other;
    (void)state;

    assert_int_equal(first.attempts, second.attempts);
    assert_memory_equal(first.slices, second.slices, sizeof first.slices);
    scenario.seed = 2;
    scenario_complete(&scenario);
    assert_int_equal(run_scenario(&scenario, fixture_rules("standard", ""), &query, NULL, &other), 0);
    assert_memory_not_equal(first.slices, other.slices, sizeof first.slices);
    result_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_by_their_time_and_in_the_order_they_were_put_in),
        cmocka_unit_test(the_trouble_lasts_the_second_quarter_where_nothing_else_is_said),
        cmocka_unit_test(requests_wait_for_a_worker_and_beyond_the_line_they_are_turned_away),
        cmocka_unit_test(a_server_that_is_out_refuses_connections),
        cmocka_unit_test(bare_calls_are_attempts_and_fail_in_the_outage),
        cmocka_unit_test(the_circuit_spares_a_server_that_is_out),
        cmocka_unit_test(random_failures_are_rescued_at_the_price_of_their_share_in_load),
        cmocka_unit_test(the_budget_bounds_what_retries_add),
        cmocka_unit_test(an_attempt_ends_at_the_policys_limit),
        cmocka_unit_test(a_limit_on_the_rate_refuses_or_makes_wait),
        cmocka_unit_test(the_same_seed_gives_the_same_run_and_another_another),
    };
    return cmocka_run_group_tests(tests, fixture_prepare, fixture_tidy);
}
