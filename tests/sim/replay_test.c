/* Records, gone through once more under other rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sim/replay.h"
#include "sim_fixture.h"

enum { MOST = 512 };

static struct place hosts[2];
static struct trace_line lines[MOST];
static struct trace trace;

static int begin(void **state)
{
    (void)state;
    assert_true(place_from_host(&hosts[0], "a.example", 9, 80));
    assert_true(place_from_host(&hosts[1], "b.example", 9, 80));
    trace = (struct trace){.hosts = hosts, .host_count = 2, .lines = lines};
    return 0;
}

/* An attempt that took 10 ms. */
static struct trace_line *add(uint64_t call, uint32_t attempt, uint64_t opened_ms, uint64_t began_ms,
                              struct outcome outcome)
{
    struct trace_line *line = &lines[trace.line_count++];

    assert_true(trace.line_count <= MOST);
    *line = (struct trace_line){.pid = 1,
                                .call = call,
                                .opened_us = 5000000 + opened_ms * 1000,
                                .began_us = 5000000 + began_ms * 1000,
                                .ended_us = 5000000 + (began_ms + 10) * 1000,
                                .method = METHOD_GET,
                                .attempt = attempt,
                                .sent = true,
                                .retry_after_ms = -1,
                                .outcome = outcome};
    return line;
}

/* Of the first host: what was, and what would have been (new_…). */
struct count {
    uint64_t calls, attempts, good, refused, hedged;
    uint64_t new_attempts, new_good, new_refused, new_hedged, new_hedge_won, saved, lost;
};

static struct count replayed(const char *policy, const char *set)
{
    struct replay_outcome outcome;

    trace_order(&trace);
    assert_int_equal(replay_run(&trace, fixture_rules(policy, set), NULL, &outcome), 0);
    const struct past_count *was = &outcome.was[0];
    const struct replay_count *would = &outcome.would[0];
    const struct count count = {.calls = was->calls,
                                .attempts = was->attempts,
                                .good = was->good,
                                .refused = was->refused,
                                .hedged = was->hedged,
                                .new_attempts = would->attempts,
                                .new_good = would->good,
                                .new_refused = would->refused,
                                .new_hedged = would->hedged,
                                .new_hedge_won = would->hedge_won,
                                .saved = would->saved,
                                .lost = would->lost};
    replay_clear(&outcome);
    return count;
}

/* A call every 100 ms; the server is out from the hundredth call to the two hundredth. */
static void add_outage(void)
{
    for (unsigned i = 0; i < 300; i++)
        add(i, 1, i * 100, i * 100, i < 100 || i >= 200 ? outcome_of_status(200) : outcome_of_curl(7))->sent =
            i < 100 || i >= 200;
}

static void calls_that_ended_well_at_once_stay_as_they_were(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        add(i, 1, i * 100, i * 100, outcome_of_status(200));
    struct count count = replayed("standard", "");
    assert_int_equal(count.calls, 50);
    assert_int_equal(count.attempts, 50);
    assert_int_equal(count.new_attempts, 50);
    assert_int_equal(count.new_good, 50);
    assert_int_equal(count.saved + count.lost, 0);
}

static void a_failure_among_successes_would_have_been_saved(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        add(i, 1, i * 100, i * 100, outcome_of_status(i == 25 ? 503 : 200));
    struct count count = replayed("standard", "");
    assert_int_equal(count.good, 49);
    assert_int_equal(count.new_good, 50);
    assert_int_equal(count.saved, 1);
    assert_int_equal(count.new_attempts, 51);
}

static void what_may_not_be_repeated_is_not_saved(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++)
        add(i, 1, i * 100, i * 100, outcome_of_status(i == 25 ? 503 : 200))->method = METHOD_POST;
    struct count count = replayed("standard", "");
    assert_int_equal(count.saved, 0);
    assert_int_equal(count.new_attempts, 50);
    count = replayed("standard", "retry.idempotency_key=true");
    assert_int_equal(count.saved, 1);
}

static void an_outage_would_have_been_kept_off_the_server(void **state)
{
    (void)state;
    add_outage();
    struct count count = replayed("standard", "breaker.open=1s\nbreaker.open_cap=1s");
    assert_int_equal(count.attempts, 300);
    assert_in_range(count.new_attempts, 205,
                    235); /* five, a probe or so a second, and what is lost until one ends well */
    assert_in_range(count.new_refused, 75, 100);
    assert_in_range(count.lost, 0, 12);
}

static void a_retry_that_was_made_is_no_longer_where_the_policy_makes_none(void **state)
{
    (void)state;
    add(1, 1, 0, 0, outcome_of_status(503));
    add(1, 2, 0, 300, outcome_of_status(200));
    struct count count = replayed("standard", "retry.attempts=1");
    assert_int_equal(count.calls, 1);
    assert_int_equal(count.attempts, 2);
    assert_int_equal(count.new_attempts, 1);
    assert_int_equal(count.lost, 1);
}

static void a_call_that_was_refused_ends_as_the_host_did_then(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        add(i, 1, i * 100, i * 100, outcome_of_status(200));
    add(99, 1, 1050, 1050, (struct outcome){.type = OUTCOME_CIRCUIT_OPEN});
    struct count count = replayed("standard", "");
    assert_int_equal(count.calls, 21);
    assert_int_equal(count.attempts, 20);
    assert_int_equal(count.refused, 1);
    assert_int_equal(count.saved, 1);
    assert_int_equal(count.new_attempts, 21);
}

static void an_attempt_that_took_longer_than_the_limit_is_cut(void **state)
{
    (void)state;
    add(1, 1, 0, 0, outcome_of_status(200))->ended_us += 3000000;
    struct count count = replayed("standard", "timeout.attempt=1s\nretry.attempts=1");
    assert_int_equal(count.good, 1);
    assert_int_equal(count.lost, 1);
}

static void lines_in_any_order_are_calls_in_theirs(void **state)
{
    (void)state;
    add(2, 1, 500, 500, outcome_of_status(200));
    add(1, 2, 0, 300, outcome_of_status(200));
    add(1, 1, 0, 0, outcome_of_status(503));
    add(1, 1, 0, 0, outcome_of_status(200))->pid = 2; /* another process numbers its calls by itself */
    struct count count = replayed("standard", "");
    assert_int_equal(count.calls, 3);
    assert_int_equal(count.good, 3);
    assert_int_equal(lines[0].opened_us, 0);
}

/* ---- a second attempt ---- */

/* A call every 100 ms that takes 10; each twentieth takes two seconds. */
static void add_tail(unsigned calls)
{
    for (unsigned i = 0; i < calls; i++)
        add(i, 1, i * 100, i * 100, outcome_of_status(200))->ended_us += i % 20 == 19 ? 1990000 : 0;
}

static void second_attempts_end_as_others_did_then(void **state)
{
    (void)state;
    add_tail(400);
    struct count count = replayed("standard", "hedge.after=100ms");
    assert_int_equal(count.hedged, 0);
    assert_int_equal(count.new_hedged, 20);
    assert_in_range(count.new_hedge_won, 15, 20);
    assert_int_equal(count.new_attempts, 420);
    assert_int_equal(count.new_good, 400);
    assert_int_equal(count.saved + count.lost, 0);
}

static void a_call_that_the_limit_ended_would_have_been_saved_by_a_second_attempt(void **state)
{
    (void)state;
    add_tail(400);
    for (unsigned i = 19; i < 400; i += 20)
        lines[i].outcome = outcome_of_curl(28);
    struct count count = replayed("standard", "hedge.after=100ms\nretry.attempts=1");
    assert_in_range(count.saved, 15, 20);
    assert_int_equal(count.new_attempts, 420);
}

static void where_no_other_attempt_is_known_a_second_is_no_faster(void **state)
{
    (void)state;
    add(1, 1, 0, 0, outcome_of_status(200))->ended_us += 3000000;
    struct count count = replayed("standard", "hedge.after=100ms");
    assert_int_equal(count.new_hedged, 1);
    assert_int_equal(count.new_hedge_won, 0);
}

static void what_may_not_be_asked_for_twice_is_not_hedged(void **state)
{
    (void)state;
    add_tail(100);
    for (unsigned i = 0; i < 100; i++)
        lines[i].method = METHOD_PUT;
    assert_int_equal(replayed("standard", "hedge.after=100ms").new_hedged, 0);
}

/* One that goes on where the first failed has a line of its own: it is not counted twice. */
static void recorded_second_attempts_are_counted_once(void **state)
{
    (void)state;
    add(1, 1, 0, 0, outcome_of_status(200))->hedged_us = 5000000 + 5000;
    add(2, 1, 100, 100, outcome_of_curl(56))->hedged_us = 5000000 + 105000;
    add(2, 2, 100, 105, outcome_of_status(200));
    struct count count = replayed("standard", "");
    assert_int_equal(count.calls, 2);
    assert_int_equal(count.attempts, 4);
    assert_int_equal(count.hedged, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(calls_that_ended_well_at_once_stay_as_they_were, begin),
        cmocka_unit_test_setup(a_failure_among_successes_would_have_been_saved, begin),
        cmocka_unit_test_setup(what_may_not_be_repeated_is_not_saved, begin),
        cmocka_unit_test_setup(an_outage_would_have_been_kept_off_the_server, begin),
        cmocka_unit_test_setup(a_retry_that_was_made_is_no_longer_where_the_policy_makes_none, begin),
        cmocka_unit_test_setup(a_call_that_was_refused_ends_as_the_host_did_then, begin),
        cmocka_unit_test_setup(an_attempt_that_took_longer_than_the_limit_is_cut, begin),
        cmocka_unit_test_setup(lines_in_any_order_are_calls_in_theirs, begin),
        cmocka_unit_test_setup(second_attempts_end_as_others_did_then, begin),
        cmocka_unit_test_setup(a_call_that_the_limit_ended_would_have_been_saved_by_a_second_attempt, begin),
        cmocka_unit_test_setup(where_no_other_attempt_is_known_a_second_is_no_faster, begin),
        cmocka_unit_test_setup(what_may_not_be_asked_for_twice_is_not_hedged, begin),
        cmocka_unit_test_setup(recorded_second_attempts_are_counted_once, begin),
    };
    return cmocka_run_group_tests(tests, fixture_prepare, fixture_tidy);
}
