/*
 * What the gate says of calls that get another reply than their own, and of attempts that a rehearsed fault
 * strikes. The clock and the dice are ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/method.h"
#include "gate/gate.h"
#include "sys/clock.h"
#include "sys/random.h"

static uint64_t now_us = 1000000000, dice;
static uint64_t unix_ms = 1800000000000; /* 2027-01-15T08:00:00Z */

uint64_t clock_now_us(void)
{
    return now_us;
}

uint64_t clock_coarse_us(void)
{
    return now_us;
}

uint64_t clock_unix_ms(void)
{
    return unix_ms;
}

void clock_sleep_ms(uint32_t ms)
{
    now_us += (uint64_t)ms * 1000;
}

uint64_t random_word(void)
{
    return dice;
}

static struct gate_call open_call(void)
{
    static int number;
    struct place place;
    char name[32];
    int length = snprintf(name, sizeof name, "host-%d.example", ++number);
    struct rules_query query = {.place = &place, .method = METHOD_GET, .path = "/", .path_length = 1};
    struct gate_call call = {.can_reply = true};

    assert_true(place_from_host(&place, name, (size_t)length, 443));
    assert_true(gate_open(&call, &query, true));
    return call;
}

static struct gate_attempt failed(bool replaceable)
{
    return (struct gate_attempt){.outcome = outcome_of_status(503),
                                 .method = METHOD_GET,
                                 .sent = true,
                                 .replayable = true,
                                 .replaceable = replaceable,
                                 .retry_after_ms = -1};
}

static uint64_t counted(const struct gate_call *call, enum layout_counter counter)
{
    return atomic_load(&call->slot->counters[counter]);
}

static void the_last_failure_is_replaced_and_no_earlier_one(void **state)
{
    struct gate_attempt attempt = failed(true);
    (void)state;

    dice = UINT64_MAX;
    struct gate_call call = open_call();
    gate_admit(&call, true);
    assert_int_equal(gate_ended(&call, &attempt).kind, VERDICT_AGAIN);
    gate_admit(&call, true);
    struct verdict verdict = gate_ended(&call, &attempt);
    assert_int_equal(verdict.kind, VERDICT_REPLACE);
    assert_int_equal(verdict.reason, VERDICT_EXHAUSTED);
    gate_fell_back(&call, 200);
    assert_int_equal(counted(&call, LAYOUT_COUNT_fallback), 1);
    gate_close(&call);
}

static void what_has_reached_the_program_is_not_replaced(void **state)
{
    struct gate_attempt attempt = failed(false);
    (void)state;

    dice = UINT64_MAX;
    struct gate_call call = open_call();
    for (int i = 0; i < 2; i++) {
        gate_admit(&call, true);
        gate_ended(&call, &attempt);
    }
    assert_int_equal(call.last.kind, VERDICT_STOP);
    gate_close(&call);
}

static void what_is_not_tried_again_is_not_replaced(void **state)
{
    struct gate_attempt attempt = failed(true);
    (void)state;

    dice = UINT64_MAX;
    struct gate_call call = open_call();
    attempt.outcome = outcome_of_status(404);
    gate_admit(&call, true);
    assert_int_equal(gate_ended(&call, &attempt).kind, VERDICT_STOP);
    gate_close(&call);
}

/* fault.percent is 25: the dice are thrown for the lowest quarter of their range. */
static void the_dice_choose_who_is_struck(void **state)
{
    (void)state;
    struct gate_call call = open_call();

    dice = 0;
    struct verdict verdict = gate_admit(&call, true);
    assert_int_equal(call.fault, REHEARSAL_RESET);
    assert_int_equal(verdict.kind, VERDICT_WAIT);
    assert_int_equal(verdict.wait_ms, 200);
    assert_int_equal(counted(&call, LAYOUT_COUNT_faults), 1);
    gate_close(&call);

    call = open_call();
    dice = UINT64_MAX / 100 * 26;
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    assert_int_equal(call.fault, REHEARSAL_NONE);
    gate_close(&call);

    call = open_call();
    dice = UINT64_MAX / 100 * 24;
    gate_admit(&call, false);
    assert_int_equal(call.fault, REHEARSAL_RESET);
    gate_close(&call);
}

static void the_rehearsal_ends_in_time(void **state)
{
    (void)state;
    dice = 0;
    unix_ms = 1800000059999;
    struct gate_call call = open_call();
    gate_admit(&call, true);
    assert_int_equal(call.fault, REHEARSAL_RESET);
    gate_close(&call);

    unix_ms = 1800000060000;
    call = open_call();
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    assert_int_equal(call.fault, REHEARSAL_NONE);
    gate_close(&call);
    unix_ms = 1800000000000;
}

static int set_up(void **state)
{
    static char folder[] = "/tmp/gusset-replaced-XXXXXX";
    char path[64];
    (void)state;

    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    setenv("GUSSET_STATE", path, 1);
    setenv("XDG_CONFIG_HOME", folder, 1);
    setenv("GUSSET_POLICY", "standard", 1);
    setenv("GUSSET_SET",
           "retry.attempts=2\nretry.budget.floor=1000\nfallback.status=200\nfaults=true\nfault.percent=25\n"
           "fault.error=reset\nfault.delay=200ms\nfault.until=2027-01-15T08:01:00Z",
           1);
    unsetenv("GUSSET_CONFIG");
    unsetenv("GUSSET_MODE");
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_failure_is_replaced_and_no_earlier_one),
        cmocka_unit_test(what_has_reached_the_program_is_not_replaced),
        cmocka_unit_test(what_is_not_tried_again_is_not_replaced),
        cmocka_unit_test(the_dice_choose_who_is_struck),
        cmocka_unit_test(the_rehearsal_ends_in_time),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
