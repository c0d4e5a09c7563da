/* What one machine makes of another's circuits, on a state in memory and by a clock that stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent/follow.h"
#include "agent/said.h"
#include "core/breaker.h"
#include "report/events.h"
#include "state/slots.h"

static const char host[] = "api.example.com:443", policy[] = "standard";

static struct reading reading;
static struct follow follow;
static struct said said;
static uint64_t now_ms;

static int begin(void **state)
{
    (void)state;
    memset(&reading, 0, sizeof reading);
    memset(&follow, 0, sizeof follow);
    memset(&said, 0, sizeof said);
    now_ms = 1000000;
    return model_init(&reading.model) ||
           map_open(&reading.state.map, NULL, LAYOUT_HOSTS_MIN, false, MAP_ALONE);
}

static int end(void **state)
{
    (void)state;
    map_close(&reading.state.map);
    model_clear(&reading.model);
    return 0;
}

static struct layout_host *slot_of(const char *name)
{
    return slots_take(&reading.state.map, name, strlen(name), policy, strlen(policy), now_ms);
}

static void look(void)
{
    reading.now_us = now_ms * 1000;
    snapshot_take(&reading.hosts, &reading.state.map, NULL, NULL);
}

/* The other machine says this of name at the moment ms. */
static void hear_of(const char *name, uint64_t ms, struct notice notice)
{
    now_ms = ms;
    strcpy(notice.host, name);
    strcpy(notice.policy, policy);
    look();
    follow_apply(&follow, &reading, NULL, &notice, 1);
    snapshot_clear(&reading.hosts);
}

static void hear(uint64_t ms, struct notice notice)
{
    hear_of(host, ms, notice);
}

static void hear_nothing(uint64_t ms)
{
    now_ms = ms;
    look();
    follow_apply(&follow, &reading, NULL, NULL, 0);
    snapshot_clear(&reading.hosts);
}

/* What this machine says; the text is the caller's to free. */
static char *say(void)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    assert_non_null(to);
    look();
    said_write(&said, &reading, NULL, to);
    snapshot_clear(&reading.hosts);
    fclose(to);
    return text;
}

static void says(const char *wanted)
{
    char *text = say();

    if (!strstr(text, wanted))
        fail_msg("%s is not in %s", wanted, text);
    free(text);
}

static void says_nothing(void)
{
    char *text = say();
    assert_int_equal(strlen(text), strcspn(text, "\n") + 1); /* the first line is the last */
    free(text);
}

static bool is_open(const char *name)
{
    uint64_t word = atomic_load(&slot_of(name)->circuit);
    return breaker_state(word) == BREAKER_OPEN && breaker_remaining_ms(word, now_ms) > 0;
}

static unsigned events(enum events_kind kind)
{
    struct events_entry event;
    unsigned found = 0;

    for (uint64_t number = 0; events_next(&reading.state.map, &number, &event);)
        found += event.kind == kind;
    return found;
}

static const struct notice failing = {.is_open = true, .opening = 7, .left_ms = 60000};
static const struct notice failing_again = {.is_open = true, .opening = 8, .left_ms = 60000};
static const struct notice tripped = {.is_open = true, .is_by_hand = true, .opening = 9};
static const struct notice closed = {.opening = 7};

static void a_circuit_opens_for_as_long_as_the_other_says_so(void **state)
{
    (void)state;
    slot_of(host);
    hear(1000000, failing);
    assert_true(is_open(host));
    for (uint64_t ms = 1001000; ms < 1030000; ms += 1000) {
        hear(ms, failing);
        assert_true(is_open(host));
    }
    assert_int_equal(events(EVENTS_FOLLOWED), 1);
    now_ms += 5500; /* nobody says anything any more */
    assert_false(is_open(host));
}

static void it_closes_when_the_other_has_closed(void **state)
{
    (void)state;
    slot_of(host);
    hear(1000000, failing);
    hear(1001000, closed);
    assert_true(atomic_load(&slot_of(host)->circuit) == breaker_closed());
    assert_int_equal(events(EVENTS_RELEASED), 1);
    hear(1002000, closed);
    assert_int_equal(events(EVENTS_RELEASED), 1);
}

static void only_hosts_that_are_known_and_mean_the_same_everywhere_count(void **state)
{
    static const char *const local[] = {"localhost:80", "db.localhost:80", "127.0.0.1:80",
                                        "[::1]:80",     "169.254.1.1:80",  "unix:/run/a.sock"};

    (void)state;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        slot_of(local[i]);
        hear_of(local[i], 1000000, tripped);
        assert_false(is_open(local[i]));
    }
    hear_of("unknown.example:1", 1000000, tripped);
    assert_null(slots_find(&reading.state.map, "unknown.example:1", 17, policy, strlen(policy)));
    slot_of("10.0.0.5:80");
    hear_of("10.0.0.5:80", 1000000, tripped);
    assert_true(is_open("10.0.0.5:80"));
}

static void what_is_followed_is_not_said_and_what_is_ones_own_is(void **state)
{
    (void)state;
    slot_of(host);
    hear(1000000, failing);
    says_nothing();
    atomic_store(&slot_of(host)->circuit, breaker_forced_open(now_ms, 9000));
    says("open hand ");
    says(" 9000 api.example.com:443 standard\n");
    hear(1000500, closed); /* another machine's business */
    assert_true(is_open(host));
    atomic_store(&slot_of(host)->circuit, breaker_closed());
    says("closed hand ");
    now_ms += 10001;
    says_nothing();
}

static void a_circuit_that_waits_for_its_probe_is_neither_open_nor_closed(void **state)
{
    (void)state;
    atomic_store(&slot_of(host)->circuit, breaker_forced_open(now_ms, 1000));
    says("open hand ");
    now_ms += 1001;
    says_nothing();
    atomic_store(&slot_of(host)->circuit, breaker_closed());
    says("closed hand ");
}

static void who_goes_well_follows_no_failures_but_a_hand(void **state)
{
    (void)state;
    uint64_t slice = window_slice(now_ms, 30000);
    atomic_store(&slot_of(host)->outcomes[window_index(slice)], window_add(0, slice, 5, 0));
    hear(1000000, failing);
    assert_false(is_open(host));
    atomic_store(&slot_of(host)->outcomes[window_index(slice)], window_add(0, slice, 5, 1));
    hear(1000100, failing);
    assert_true(is_open(host)); /* it fails here, too */
    hear(1000200, closed);
    atomic_store(&slot_of(host)->outcomes[window_index(slice)], window_add(0, slice, 5, 0));
    hear(1000300, tripped);
    assert_true(is_open(host));
}

static void who_has_found_out_that_the_host_is_well_is_not_told_otherwise(void **state)
{
    (void)state;
    slot_of(host);
    hear(1000000, failing);
    atomic_store(&slot_of(host)->circuit, breaker_closed()); /* a probe went well */
    hear(1001000, failing);
    hear(1002000, failing_again);
    assert_false(is_open(host));
    hear(1003000, tripped);
    assert_true(is_open(host));
    hear(1004000, closed); /* the other has closed: a new story */
    hear(1005000, failing);
    assert_true(is_open(host));
    atomic_store(&slot_of(host)->circuit, breaker_closed());
    hear(1006000, failing);
    hear(1307000, failing_again);
    assert_true(is_open(host)); /* five minutes are enough */
}

static void who_was_reset_by_hand_is_opened_by_another_hand_only(void **state)
{
    struct notice again = tripped;

    (void)state;
    slot_of(host);
    hear(1000000, tripped);
    atomic_store(&slot_of(host)->circuit, breaker_closed());
    hear(1001000, tripped);
    hear(2001000, tripped);
    assert_false(is_open(host));
    again.opening++;
    hear(2002000, again);
    assert_true(is_open(host));
}

static void before_the_other_opens_again_there_is_a_probe_of_our_own(void **state)
{
    (void)state;
    slot_of(host);
    hear(1000000, failing);
    for (uint64_t ms = 1001000; ms < 1006000; ms += 1000)
        hear(ms, failing_again);
    assert_false(is_open(host));
}

static void what_is_open_or_held_here_is_left_alone(void **state)
{
    (void)state;
    uint64_t held = breaker_held_closed(now_ms, 0), open = breaker_forced_open(now_ms, 1000);
    atomic_store(&slot_of(host)->circuit, held);
    hear(1000000, tripped);
    assert_true(atomic_load(&slot_of(host)->circuit) == held);
    atomic_store(&slot_of(host)->circuit, open);
    hear(1000100, tripped);
    hear(1000200, closed);
    assert_true(atomic_load(&slot_of(host)->circuit) == open);
}

static void an_agent_that_starts_anew_goes_on_with_what_was_followed(void **state)
{
    (void)state;
    slot_of(host);
    hear(1000000, failing);
    memset(&follow, 0, sizeof follow);
    hear(1003000, failing);
    now_ms = 1006000;
    assert_true(is_open(host));
    hear_nothing(1006000);
    memset(&follow, 0, sizeof follow);
    hear(1007000, closed);
    assert_false(is_open(host));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_circuit_opens_for_as_long_as_the_other_says_so),
        TEST(it_closes_when_the_other_has_closed),
        TEST(only_hosts_that_are_known_and_mean_the_same_everywhere_count),
        TEST(what_is_followed_is_not_said_and_what_is_ones_own_is),
        TEST(a_circuit_that_waits_for_its_probe_is_neither_open_nor_closed),
        TEST(who_goes_well_follows_no_failures_but_a_hand),
        TEST(who_has_found_out_that_the_host_is_well_is_not_told_otherwise),
        TEST(who_was_reset_by_hand_is_opened_by_another_hand_only),
        TEST(before_the_other_opens_again_there_is_a_probe_of_our_own),
        TEST(what_is_open_or_held_here_is_left_alone),
        TEST(an_agent_that_starts_anew_goes_on_with_what_was_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
