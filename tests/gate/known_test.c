/*
 * connect/known: where connects have led before. The gate below it is the real one, over a state of its own;
 * its clock is ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect/known.h"
#include "connect/known_entry.h"
#include "connect/names.h"
#include "state/control.h"

/* Last: its names are those of parameters elsewhere. */
#include "gate/own_clock.h"

static struct place place_at(unsigned number)
{
    const uint8_t address[4] = {10, 0, (uint8_t)(number >> 8), (uint8_t)number};
    struct place place;

    place_from_address(&place, PLACE_IPV4, address, 5432);
    return place;
}

/* Each test has a place of its own. */
static struct place new_place(void)
{
    static unsigned number = 60000;
    return place_at(++number);
}

static void look_up(const char *name, const struct place *place)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct addrinfo found = {.ai_addr = (struct sockaddr *)&in, .ai_addrlen = sizeof in};

    memcpy(&in.sin_addr, place->address, 4);
    names_remember(name, &found);
}

/* A connect that searches, succeeds, and is kept. */
static struct gate_call reach(const struct place *place)
{
    struct known_moment moment = known_moment(place);
    struct rules_query query = {.place = place};
    struct gate_attempt ended = {.outcome = {.type = OUTCOME_SUCCESS}, .retry_after_ms = -1};
    struct gate_call call = {.ready = NULL};

    assert_true(gate_open(&call, &query, true));
    gate_admit(&call, false);
    gate_ended(&call, &ended);
    gate_close(&call);
    known_keep(place, &moment, &call);
    return call;
}

/* Whether a connect to the place is opened without a search. */
static bool is_begun(const struct place *place, struct kept *kept, uint64_t *opened_us)
{
    struct known_look look = known_look(place);
    return look.answer == KNOWN_CALL && known_open(&look, kept, opened_us);
}

/* The same, with a record of it. */
static bool is_opened(const struct place *place, struct gate_call *call)
{
    struct kept kept;
    uint64_t opened_us;
    bool is_found = is_begun(place, &kept, &opened_us);

    if (is_found)
        kept_call(&kept, opened_us, call);
    return is_found;
}

static bool is_known(const struct place *place)
{
    struct kept kept;
    uint64_t opened_us;
    bool is_found = is_begun(place, &kept, &opened_us);

    if (is_found)
        assert_true(kept_ended(&kept, opened_us, clock_now_us()));
    return is_found;
}

static uint64_t counted(const struct gate_call *call, enum layout_counter counter)
{
    return atomic_load(&call->slot->counters[counter]);
}

static void a_connect_to_where_one_has_led_is_opened_without_a_search(void **state)
{
    struct place place = new_place();
    struct gate_call first = reach(&place), second;
    struct kept kept;
    uint64_t opened_us;
    (void)state;

    assert_true(is_begun(&place, &kept, &opened_us));
    kept_call(&kept, opened_us, &second);
    assert_ptr_equal(second.slot, first.slot);
    assert_ptr_equal(second.policy, first.policy);
    assert_string_equal(second.host, first.host);
    assert_int_equal(second.deadline_us, opened_us + second.total_us);
    now_us += 700;
    assert_true(kept_ended(&kept, opened_us, now_us));
    assert_int_equal(counted(&first, LAYOUT_COUNT_calls), 2);
    assert_int_equal(counted(&first, LAYOUT_COUNT_attempts), 2);
}

static void nothing_is_known_of_another_port_or_address(void **state)
{
    struct place place = new_place(), other = new_place();
    (void)state;

    reach(&place);
    assert_false(is_known(&other));
    place.port++;
    assert_false(is_known(&place));
}

static void a_connect_that_fails_is_judged_like_any_other(void **state)
{
    struct place place = new_place();
    struct gate_attempt refused = {
        .outcome = outcome_of_errno(111), .replayable = true, .retry_after_ms = -1};
    struct gate_call call;
    (void)state;

    reach(&place);
    assert_true(is_opened(&place, &call));
    assert_int_equal(gate_ended(&call, &refused).kind, VERDICT_AGAIN);
    assert_false(gate_is_calm(&call));
    gate_leave(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_failures), 1);
}

/* What it left in its record would be the next one's. */
static void one_that_has_failed_or_was_not_let_through_is_not_kept(void **state)
{
    struct place place = new_place();
    struct known_moment moment = known_moment(&place);
    struct gate_attempt refused = {.outcome = outcome_of_errno(111), .retry_after_ms = -1};
    struct rules_query query = {.place = &place};
    struct gate_call call = {.ready = NULL};
    (void)state;

    for (int i = 0; i < 6; i++) {
        assert_true(gate_open(&call, &query, true));
        if (gate_admit(&call, false).kind == VERDICT_GO)
            gate_ended(&call, &refused);
        known_keep(&place, &moment, &call);
        assert_false(is_known(&place));
    }
    assert_int_equal(counted(&call, LAYOUT_COUNT_rejected), 1);
}

static void the_switch_a_reload_an_open_circuit_and_an_evicted_slot_end_it(void **state)
{
    struct place place = new_place();
    struct gate_call call = reach(&place);
    struct ready *ready = gate_ready(true);
    (void)state;

    assert_true(is_known(&place));
    control_set_switch(ready->state.header, 1 + POLICY_OFF);
    assert_false(is_known(&place));
    control_set_switch(ready->state.header, 0);
    assert_true(is_known(&place));
    control_change(ready->state.header); /* `gusset reload` */
    assert_false(is_known(&place));
    reach(&place); /* takes the new rules */
    assert_false(is_known(&place));
    call = reach(&place);
    assert_true(is_known(&place));
    atomic_store(&call.slot->circuit, breaker_forced_open(now_us / 1000, 5000));
    assert_false(is_known(&place));
    atomic_store(&call.slot->circuit, breaker_closed());
    assert_true(is_known(&place));
    atomic_store(&call.slot->key, call.key + 2);
    assert_false(is_known(&place));
    atomic_store(&call.slot->key, call.key);
}

/* The slot must be found used, and the socket's kind be asked, every now and then. */
static void a_search_is_made_once_a_second_all_the_same(void **state)
{
    struct place place = new_place();
    (void)state;

    reach(&place);
    now_us += 1000000;
    assert_false(is_known(&place));
    reach(&place);
    assert_true(is_known(&place));
}

static void a_name_that_is_new_to_the_address_ends_it(void **state)
{
    struct place place = new_place();
    (void)state;

    reach(&place);
    look_up("one.example", &place);
    assert_false(is_known(&place));
    reach(&place);
    assert_true(is_known(&place));
    look_up("one.example", &place);
    assert_true(is_known(&place));
    look_up("two.example", &place);
    assert_false(is_known(&place));
    reach(&place); /* which of the two is meant must be found each time */
    assert_false(is_known(&place));
}

static void a_known_connect_uses_up_the_look_up_before_it(void **state)
{
    struct place place = new_place(), named;
    bool is_certain;
    (void)state;

    look_up("first.example", &place);
    reach(&place);
    assert_true(is_known(&place)); /* first's look-up is used now */
    look_up("second.example", &place);
    assert_true(names_find(&place, &named, &is_certain));
    assert_string_equal(named.name, "second.example");
}

static void a_place_that_no_rule_means_is_known_as_such(void **state)
{
    struct place place = new_place();
    struct known_moment moment = known_moment(&place);
    struct ready *ready = gate_ready(true);
    (void)state;

    known_unmatched(&place, &moment);
    assert_int_equal(known_look(&place).answer, KNOWN_UNMATCHED);
    look_up("listed.example", &place);
    assert_int_equal(known_look(&place).answer, KNOWN_NOT);
    moment = known_moment(&place);
    known_unmatched(&place, &moment);
    assert_int_equal(known_look(&place).answer, KNOWN_UNMATCHED);
    control_set_switch(ready->state.header, 1 + POLICY_ENFORCE); /* it might have been its rule's mode */
    assert_int_equal(known_look(&place).answer, KNOWN_NOT);
    control_set_switch(ready->state.header, 0);
}

/* What the hook asks first. */
/* As the hook asks: from a frame below the one where the address lies. */
static __attribute__((noinline)) enum known_answer ask_at_once(const void *to, socklen_t length)
{
    return known_at_once(to, length).answer;
}

static enum known_answer told_at_once(const struct place *place)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(place->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(place->port)};

    memcpy(&in.sin_addr, place->address, sizeof in.sin_addr);
    memcpy(&in6.sin6_addr, place->address, sizeof in6.sin6_addr);
    if (place->family == PLACE_IPV6)
        return ask_at_once(&in6, sizeof in6);
    assert_int_equal(ask_at_once(&in, sizeof in - 1), KNOWN_NOT);
    return ask_at_once(&in, sizeof in);
}

static void learn_unmatched(const struct place *place)
{
    struct known_moment moment = known_moment(place);
    known_unmatched(place, &moment);
}

static void what_is_known_is_told_at_once_when_nothing_is_left_to_be_used(void **state)
{
    struct place place = new_place(), other = place, remote;
    const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
    (void)state;

    place_from_address(&remote, PLACE_IPV6, address, 443);
    learn_unmatched(&place);
    learn_unmatched(&remote);
    assert_int_equal(told_at_once(&place), KNOWN_NOT);
    assert_int_equal(known_look(&place).answer, KNOWN_UNMATCHED);
    assert_int_equal(known_look(&remote).answer, KNOWN_UNMATCHED);
    assert_int_equal(told_at_once(&place), KNOWN_UNMATCHED);
    assert_int_equal(told_at_once(&remote), KNOWN_UNMATCHED);
    other.port++;
    assert_int_equal(told_at_once(&other), KNOWN_NOT);
    reach(&other);
    assert_true(is_known(&other));
    assert_int_equal(told_at_once(&other), KNOWN_CALL);
}

static void a_look_up_a_switch_or_a_reload_ends_what_is_told_at_once(void **state)
{
    struct place place = new_place(), other = new_place();
    struct ready *ready = gate_ready(true);
    struct known_moment before = known_moment(&place);
    (void)state;

    known_unmatched(&place, &before);
    known_look(&place);
    assert_int_equal(told_at_once(&place), KNOWN_UNMATCHED);
    look_up("other.example", &other); /* another address: nothing has changed, but that must be seen first */
    assert_int_equal(told_at_once(&place), KNOWN_NOT);
    known_look(&place);
    assert_int_equal(told_at_once(&place), KNOWN_UNMATCHED);
    look_up("this.example", &place);
    assert_int_equal(told_at_once(&place), KNOWN_NOT);
    assert_int_equal(known_look(&place).answer, KNOWN_NOT);
    learn_unmatched(&place);
    look_up("this.example", &place);
    known_look(&place);
    assert_int_equal(told_at_once(&place), KNOWN_NOT); /* of the two look-ups one is left */
    known_look(&place);
    assert_int_equal(told_at_once(&place), KNOWN_UNMATCHED);
    control_set_switch(ready->state.header, 1 + POLICY_ENFORCE);
    assert_int_equal(told_at_once(&place), KNOWN_NOT);
    control_set_switch(ready->state.header, 0);
    assert_int_equal(told_at_once(&place), KNOWN_UNMATCHED);
    control_change(ready->state.header);
    assert_int_equal(told_at_once(&place), KNOWN_NOT);
    reach(&other); /* takes the new rules, for the tests that follow */
}

static void what_changed_while_it_was_searched_for_is_not_missed(void **state)
{
    struct place place = new_place();
    struct known_moment moment = known_moment(&place);
    (void)state;

    look_up("meanwhile.example", &place);
    known_unmatched(&place, &moment);
    assert_int_equal(known_look(&place).answer, KNOWN_NOT);
}

static void where_datagrams_go_too_nothing_is_presumed(void **state)
{
    struct place place = new_place();
    struct gate_call call;
    (void)state;

    reach(&place);
    assert_true(is_opened(&place, &call));
    gate_retract(&call);
    assert_int_equal(counted(&call, LAYOUT_COUNT_calls), 1);
    assert_int_equal(counted(&call, LAYOUT_COUNT_attempts), 1);
    known_mixed(&place);
    assert_false(is_known(&place));
    reach(&place);
    assert_false(is_known(&place));
}

static void a_call_in_shadow_is_not_kept(void **state)
{
    struct place place = new_place();
    struct ready *ready = gate_ready(true);
    (void)state;

    control_set_switch(ready->state.header, 1 + POLICY_SHADOW);
    reach(&place);
    assert_false(is_known(&place));
    control_set_switch(ready->state.header, 0);
}

enum { CROWD = 1500 }; /* places: more than there is room for */

static struct gate_call calls[CROWD];

/* Returns how often a call was opened that is not the place's. */
static void *jostle(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed;
    uintptr_t wrong = 0;

    for (int i = 0; i < 200000; i++) {
        unsigned number = (state = state * 1103515245 + 12345) >> 8;
        number %= i & 1 ? CROWD : 20;
        struct place place = place_at(number);
        struct known_moment moment = known_moment(&place);
        struct gate_call call;
        if (is_opened(&place, &call)) {
            wrong += call.slot != calls[number].slot || strcmp(call.host, calls[number].host) != 0;
            gate_forget(&call);
        } else
            known_keep(&place, &moment, &calls[number]);
    }
    return (void *)wrong;
}

static void threads_that_write_at_once_never_leave_a_mixture(void **state)
{
    pthread_t threads[4];
    void *wrong;
    (void)state;

    for (unsigned i = 0; i < CROWD; i++) {
        struct place place = place_at(i);
        calls[i] = reach(&place);
    }
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, jostle, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

static char folder[] = "/tmp/gusset-known-XXXXXX", path[64];

static int prepare(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    setenv("GUSSET_STATE", path, 1);
    setenv("GUSSET_POLICY", "standard", 1);
    setenv("XDG_CONFIG_HOME", folder, 1);
    unsetenv("GUSSET_CONFIG");
    unsetenv("GUSSET_SET");
    unsetenv("GUSSET_MODE");
    return gate_ready(true) ? 0 : -1;
}

static int tidy(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_to_where_one_has_led_is_opened_without_a_search),
        cmocka_unit_test(nothing_is_known_of_another_port_or_address),
        cmocka_unit_test(a_connect_that_fails_is_judged_like_any_other),
        cmocka_unit_test(one_that_has_failed_or_was_not_let_through_is_not_kept),
        cmocka_unit_test(the_switch_a_reload_an_open_circuit_and_an_evicted_slot_end_it),
        cmocka_unit_test(a_search_is_made_once_a_second_all_the_same),
        cmocka_unit_test(a_name_that_is_new_to_the_address_ends_it),
        cmocka_unit_test(a_known_connect_uses_up_the_look_up_before_it),
        cmocka_unit_test(a_place_that_no_rule_means_is_known_as_such),
        cmocka_unit_test(what_is_known_is_told_at_once_when_nothing_is_left_to_be_used),
        cmocka_unit_test(a_look_up_a_switch_or_a_reload_ends_what_is_told_at_once),
        cmocka_unit_test(what_changed_while_it_was_searched_for_is_not_missed),
        cmocka_unit_test(where_datagrams_go_too_nothing_is_presumed),
        cmocka_unit_test(a_call_in_shadow_is_not_kept),
        cmocka_unit_test(threads_that_write_at_once_never_leave_a_mixture),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
