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

static struct server_fate arrive(struct server *server, uint32_t client, uint64_t us)
{
    const struct server_request request = {.client = client, .serial = 1};
    struct server_fate fate;

    assert_int_equal(server_arrive(server, &request, us, &fate), 0);
    return fate;
}

static void requests_wait_for_a_worker_and_beyond_the_line_they_are_turned_away(void **state)
{
    struct scenario scenario = scenario_of("slow");
    struct server server;
    struct server_request request;
    struct server_fate fate;
    (void)state;

    scenario.workers = scenario.backlog = 1;
    scenario_complete(&scenario);
    assert_int_equal(server_init(&server, &scenario), 0);
    fate = arrive(&server, 1, 0);
    assert_true(fate.is_worked && fate.outcome.status == 200);
    assert_in_range(fate.after_us, 50000, 150000);
    assert_true(arrive(&server, 2, 0).is_queued);
    fate = arrive(&server, 3, 0);
    assert_false(fate.is_worked || fate.is_queued);
    assert_int_equal(fate.outcome.status, 503);
    /* The worker takes the next; in the trouble that takes it fifty times as long. */
    assert_true(server_next(&server, 20000000, &request, &fate));
    assert_int_equal(request.client, 2);
    assert_in_range(fate.after_us, 2500000, 7500000);
    assert_false(server_next(&server, 21000000, &request, &fate));
    server_clear(&server);
}

/* In any order, and past the room that the line begins with. */
static void who_leaves_the_line_makes_room_and_is_not_served(void **state)
{
    struct scenario scenario = scenario_of("slow");
    struct server server;
    struct server_request request;
    struct server_fate fate;
    uint64_t places[300];
    (void)state;

    scenario.workers = 1;
    scenario.backlog = 300;
    scenario_complete(&scenario);
    assert_int_equal(server_init(&server, &scenario), 0);
    arrive(&server, 1000, 0);
    for (uint32_t i = 0; i < 300; i++)
        places[i] = arrive(&server, i, 0).place;
    assert_false(arrive(&server, 1001, 0).is_queued);
    for (uint32_t i = 0; i < 300; i++)
        if (i % 3 != 1)
            server_leave(&server, places[i]);
    assert_true(arrive(&server, 1002, 0).is_queued);
    for (uint32_t i = 1; i < 300; i += 3) {
        assert_true(server_next(&server, 0, &request, &fate));
        assert_int_equal(request.client, i);
    }
    assert_true(server_next(&server, 0, &request, &fate));
    assert_int_equal(request.client, 1002);
    assert_false(server_next(&server, 0, &request, &fate));
    server_clear(&server);
}

static void a_server_that_is_out_refuses_connections(void **state)
{
    struct scenario scenario = scenario_of("outage");
    struct server server;
    (void)state;

    scenario_complete(&scenario);
    assert_int_equal(server_init(&server, &scenario), 0);
    assert_int_equal(arrive(&server, 1, 1000000).outcome.type, OUTCOME_SUCCESS);
    assert_int_equal(arrive(&server, 1, 16000000).outcome.type, OUTCOME_CONNECT);
    server_clear(&server);
}

static void the_tail_is_the_share_of_answers_that_it_says(void **state)
{
    struct scenario scenario = scenario_of("tail");
    struct server server;
    int slow = 0;
    (void)state;

    scenario_complete(&scenario);
    assert_int_equal(scenario.workers, 40); /* twice what a hundred of 195 ms a second need, and one */
    assert_int_equal(server_init(&server, &scenario), 0);
    for (uint32_t i = 0; i < 10000; i++) {
        struct server_request none;
        struct server_fate fate = arrive(&server, i, 0), next;
        slow += fate.after_us >= 1000000;
        assert_true(fate.after_us <= 150000 || fate.after_us >= 1000000);
        server_next(&server, 0, &none, &next);
    }
    assert_in_range(slow, 430, 570);
    server_clear(&server);
}

/* ---- whole runs ---- */

static uint64_t p99_us; /* of the last that was played */

static struct result play_this(struct scenario scenario, const struct rules_query *query, const char *policy,
                               const char *set)
{
    struct result result;

    scenario_complete(&scenario);
    assert_int_equal(
        run_scenario(&scenario, policy ? fixture_rules(policy, set) : NULL, query, NULL, &result), 0);
    assert_int_equal(result.calls, result.good + result.failed + result.refused);
    assert_int_equal(result.under_way, 0);
    p99_us = result_wait_us(&result, 0.99);
    result_clear(&result);
    return result;
}

static struct result play(const char *name, const char *policy, const char *set)
{
    const struct rules_query query = fixture_query();
    return play_this(scenario_of(name), &query, policy, set);
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

/* ---- a second attempt ---- */

static void a_second_attempt_takes_the_tail_off(void **state)
{
    struct result bare = play("tail", NULL, NULL);
    uint64_t bare_us = p99_us;
    struct result result = play("tail", "standard", "hedge.after=p95");
    (void)state;

    assert_int_equal(bare.hedged, 0);
    assert_true(bare_us > 1000000);
    assert_true(p99_us < 500000);
    assert_in_range(result.hedged * 1000 / result.calls, 40, 80); /* the slow ones, and a few */
    assert_in_range(result.hedge_won * 100 / result.hedged, 85, 100);
    assert_int_equal(result.attempts, result.calls + result.hedged);
    assert_int_equal(result.good, result.calls);
    assert_int_equal(result.rescued, 0);
}

static void only_what_may_be_asked_for_twice_is_hedged(void **state)
{
    struct rules_query query = fixture_query();
    (void)state;

    query.method = METHOD_POST;
    assert_int_equal(play_this(scenario_of("tail"), &query, "standard", "hedge.after=p95").hedged, 0);
    query.method = METHOD_HEAD;
    assert_true(play_this(scenario_of("tail"), &query, "standard", "hedge.after=p95").hedged > 0);
    query.method = 0; /* a connect */
    query.path = NULL;
    assert_int_equal(play_this(scenario_of("tail"), &query, "standard", "hedge.after=p95").hedged, 0);
}

static void second_attempts_are_paid_from_the_budget(void **state)
{
    struct result result =
        play("slow", "standard", "hedge.after=200ms\nretry.budget.ratio=5\nretry.budget.floor=0");
    (void)state;

    assert_in_range(result.hedged, 20, result.calls * 6 / 100);
    assert_int_equal(
        play("slow", "standard", "hedge.after=200ms\nretry.budget.ratio=0\nretry.budget.floor=0").hedged, 0);
}

static void each_of_two_attempts_holds_a_place(void **state)
{
    struct scenario scenario = scenario_of("tail");
    const struct rules_query query = fixture_query();
    (void)state;

    scenario.clients = 1;
    scenario.rate = 5;
    scenario.workers = 4;
    assert_int_equal(play_this(scenario, &query, "standard", "hedge.after=200ms\nbulkhead.calls=1").hedged,
                     0);
    assert_in_range(play_this(scenario, &query, "standard", "hedge.after=200ms\nbulkhead.calls=2").hedged, 5,
                    40);
}

#define NO_CIRCUIT "breaker.consecutive=0\nbreaker.rate.percent=0\n"

/* Both are as slow, so the first fails while the second is under way; that one's reply is the call's. */
static void where_the_first_fails_the_second_goes_on(void **state)
{
    struct scenario scenario = scenario_of("brownout");
    const struct rules_query query = fixture_query();
    struct result result;
    (void)state;

    scenario.workers = 1000;
    result = play_this(scenario, &query, "standard",
                       NO_CIRCUIT "hedge.after=140ms\nretry.attempts=2\nretry.budget.floor=1000");
    assert_in_range(result.failed, 200, 500); /* a quarter of the trouble's, both of whose attempts fail */
    assert_true(result.hedged > 1000);
    assert_true(result.rescued > 250);
    assert_true(result.attempts <= 2 * result.calls); /* a second one is the call's second attempt */
}

/* Fewer workers than the slow attempts would hold. */
static void who_is_overtaken_leaves_the_worker_unless_the_server_is_deaf(void **state)
{
    struct scenario scenario = scenario_of("tail");
    const struct rules_query query = fixture_query();
    struct result heard, unheard;
    (void)state;

    scenario.workers = 15;
    heard = play_this(scenario, &query, "standard", NO_CIRCUIT "hedge.after=200ms");
    scenario.deaf = true;
    unheard = play_this(scenario, &query, "standard", NO_CIRCUIT "hedge.after=200ms");
    assert_true(heard.good * 100 >= heard.calls * 99);
    assert_true(unheard.good * 100 < unheard.calls * 90);
}

static void a_limit_ends_the_second_attempt_too(void **state)
{
    struct scenario scenario = scenario_of("tail");
    const struct rules_query query = fixture_query();
    struct result result;
    (void)state;

    scenario.slow = 1;
    scenario.slowness = 100; /* nothing is answered in time */
    scenario.workers = 1000;
    result = play_this(scenario, &query, "standard",
                       NO_CIRCUIT
                       "hedge.after=200ms\nretry.attempts=1\ntimeout.attempt=1s\ntimeout.connect=500ms");
    assert_true(result.good < 20); /* second attempts of the last moment, for then the trouble is over */
    assert_true(result.hedged > 500);
    assert_in_range(p99_us, 1690000, 1710000); /* 200 ms, then a second and a half */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_by_their_time_and_in_the_order_they_were_put_in),
        cmocka_unit_test(the_trouble_lasts_the_second_quarter_where_nothing_else_is_said),
        cmocka_unit_test(requests_wait_for_a_worker_and_beyond_the_line_they_are_turned_away),
        cmocka_unit_test(who_leaves_the_line_makes_room_and_is_not_served),
        cmocka_unit_test(a_server_that_is_out_refuses_connections),
        cmocka_unit_test(the_tail_is_the_share_of_answers_that_it_says),
        cmocka_unit_test(bare_calls_are_attempts_and_fail_in_the_outage),
        cmocka_unit_test(the_circuit_spares_a_server_that_is_out),
        cmocka_unit_test(random_failures_are_rescued_at_the_price_of_their_share_in_load),
        cmocka_unit_test(the_budget_bounds_what_retries_add),
        cmocka_unit_test(an_attempt_ends_at_the_policys_limit),
        cmocka_unit_test(a_limit_on_the_rate_refuses_or_makes_wait),
        cmocka_unit_test(the_same_seed_gives_the_same_run_and_another_another),
        cmocka_unit_test(a_second_attempt_takes_the_tail_off),
        cmocka_unit_test(only_what_may_be_asked_for_twice_is_hedged),
        cmocka_unit_test(second_attempts_are_paid_from_the_budget),
        cmocka_unit_test(each_of_two_attempts_holds_a_place),
        cmocka_unit_test(where_the_first_fails_the_second_goes_on),
        cmocka_unit_test(who_is_overtaken_leaves_the_worker_unless_the_server_is_deaf),
        cmocka_unit_test(a_limit_ends_the_second_attempt_too),
    };
    return cmocka_run_group_tests(tests, fixture_prepare, fixture_tidy);
}
