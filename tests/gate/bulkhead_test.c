/* Calls in flight, through the gate as a door uses it. */
#include "gate_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/owner.h"
#include "gate/bulkhead.h"
#include "state/places.h"

#include "../emulated.h"

static const char configuration[] =
    "policies: {\n"
    "  three:   { bulkhead: { calls = 3; }; breaker: { }; retry: { backoff: { base = \"100ms\"; jitter = "
    "\"none\"; }; }; };\n"
    "  patient: { bulkhead: { calls = 1; wait = \"2s\"; }; };\n"
    "  hasty:   { bulkhead: { calls = 1; wait = \"60s\"; }; timeout: { total = \"1s\"; }; };\n"
    "  scarce:  { bulkhead: { calls = 1; }; limit: { rate = 1; per = \"60s\"; burst = 1; }; };\n"
    "};\n"
    "hosts = ( { match = \"*.three.test\"; policy = \"three\"; }, { match = \"*.patient.test\"; policy = "
    "\"patient\"; },\n"
    "          { match = \"*.hasty.test\"; policy = \"hasty\"; }, { match = \"*.scarce.test\"; policy = "
    "\"scarce\"; } );\n";

static unsigned held(const struct gate_call *call)
{
    struct map *map = &gate_ready(false)->state;
    return places_held(map, call->key, bulkhead_owner_is_gone, map);
}

static void as_many_calls_as_it_says_are_in_flight(void **state)
{
    struct place place = new_host("three.test"), other = new_host("three.test");
    struct gate_call calls[4];
    (void)state;

    for (int i = 0; i < 4; i++)
        calls[i] = open_call(&place);
    for (int i = 0; i < 3; i++)
        assert_int_equal(gate_admit(&calls[i], true).kind, VERDICT_GO);
    struct verdict verdict = gate_admit(&calls[3], true);
    assert_int_equal(verdict.kind, VERDICT_REFUSE);
    assert_int_equal(verdict.reason, VERDICT_CROWDED);
    assert_int_equal(counted(&calls[3], LAYOUT_COUNT_crowded), 1);
    assert_int_equal(one_call(&other, outcome_of_status(200)).kind,
                     VERDICT_GO); /* another host has its own */
    end(&calls[0], outcome_of_status(200));
    gate_close(&calls[0]);
    gate_close(&calls[3]);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    assert_int_equal(held(&calls[1]), 2);
    gate_close(&calls[1]);
    gate_close(&calls[2]);
    assert_int_equal(held(&calls[1]), 0);
}

static void a_place_is_held_between_attempts_and_given_back_at_the_end(void **state)
{
    struct place place = new_host("three.test");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    assert_int_equal(end(&call, outcome_of_status(503)).kind, VERDICT_AGAIN);
    assert_int_equal(held(&call), 1);
    assert_int_equal(gate_admit(&call, true).kind, VERDICT_GO);
    assert_int_equal(held(&call), 1);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    assert_int_equal(held(&call), 0);
}

static void a_call_waits_for_a_place_as_long_as_the_rule_says(void **state)
{
    struct place place = new_host("patient.test");
    struct gate_call first = open_call(&place), second = open_call(&place);
    (void)state;

    assert_int_equal(gate_admit(&first, true).kind, VERDICT_GO);
    uint64_t began_us = now_us;
    assert_int_equal(insist(&second).kind, VERDICT_REFUSE);
    assert_in_range(now_us - began_us, 2000000, 2001000);
    assert_int_equal(counted(&second, LAYOUT_COUNT_waited), 1);
    gate_close(&second);

    second = open_call(&place);
    assert_int_equal(gate_admit(&second, true).kind, VERDICT_LATER);
    assert_int_equal(second.attempt, 0);
    gate_close(&first);
    assert_int_equal(gate_admit(&second, true).kind, VERDICT_GO);
    assert_int_equal(second.attempt, 1);
    gate_close(&second);
}

static void it_does_not_wait_where_the_door_may_not_nor_past_its_deadline(void **state)
{
    struct place patient = new_host("patient.test"), hasty = new_host("hasty.test");
    struct gate_call first = open_call(&patient), second = open_call(&hasty), third = open_call(&hasty);
    (void)state;

    gate_admit(&first, true);
    assert_int_equal(one_call(&patient, outcome_of_status(200)).kind, VERDICT_REFUSE);
    gate_admit(&second, true);
    uint64_t began_us = now_us;
    assert_int_equal(insist(&third).kind, VERDICT_REFUSE);
    assert_in_range(now_us - began_us, 999000, 1001000);
    gate_close(&first);
    gate_close(&second);
    gate_close(&third);
}

static void a_call_refused_for_another_reason_holds_no_place(void **state)
{
    struct place place = new_host("scarce.test");
    (void)state;

    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    struct gate_call call = open_call(&place);
    assert_int_equal(gate_admit(&call, false).reason, VERDICT_LIMITED);
    assert_int_equal(held(&call), 0);
    gate_close(&call);
}

static void a_call_that_was_left_gives_its_place_back_when_its_record_goes(void **state)
{
    struct place place = new_host("three.test");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    gate_give_up(&call); /* its program left by longjmp, and cleans its handle up */
    assert_int_equal(held(&call), 0);
    gate_close(&call);
}

static void a_forked_child_neither_holds_nor_gives_back_its_parents_places(void **state)
{
    struct place place = new_host("three.test");
    struct gate_call call = open_call(&place);
    int status;
    (void)state;
    unless_emulated("qemu-user answers MADV_WIPEONFORK with yes, and does nothing");

    gate_admit(&call, true);
    pid_t child = fork();
    if (child == 0) {
        gate_close(&call);
        _exit(held(&call) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(held(&call), 1);
    gate_close(&call);
    assert_int_equal(held(&call), 0);
}

/* The child takes a place and is killed; its parent has not waited for it when the place is wanted. */
static void the_places_of_killed_processes_are_free_before_anybody_has_waited_for_them(void **state)
{
    struct place place = new_host("three.test");
    pid_t children[3];
    int pipes[2];
    char byte;
    (void)state;

    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct gate_call call = open_call(&place);
            bool goes = gate_admit(&call, true).kind == VERDICT_GO;
            if (write(pipes[1], goes ? "+" : "-", 1) == 1)
                pause();
            _exit(1);
        }
        assert_int_equal(read(pipes[0], &byte, 1), 1);
        assert_int_equal(byte, '+');
    }
    assert_int_equal(one_call(&place, outcome_of_status(200)).reason, VERDICT_CROWDED);
    for (int i = 0; i < 3; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < 3; i++) { /* ended, but not waited for */
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOWAIT), 0);
    }
    pass_ms(20); /* owners are searched for no more often */
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    for (int i = 0; i < 3; i++)
        waitpid(children[i], NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
}

/* Its number and the time it began at stay the same; its stack is elsewhere, but for one time in 63. */
static void what_a_process_held_before_it_became_another_program_is_free(void **state)
{
    struct place place = new_host("patient.test");
    int held[2], became[2], freed = 0;
    char byte;
    (void)state;

    for (int i = 0; i < 8; i++) {
        assert_int_equal(pipe(held), 0);
        assert_int_equal(pipe(became), 0);
        pid_t child = fork();
        if (child == 0) {
            struct gate_call call = open_call(&place);
            bool goes = gate_admit(&call, true).kind == VERDICT_GO;
            fcntl(became[1], F_SETFD, FD_CLOEXEC);
            if (write(became[1], goes ? "+" : "-", 1) != 1 || read(held[0], &byte, 1) != 1)
                _exit(1);
            execlp("sleep", "sleep", "60", (char *)NULL);
            _exit(1);
        }
        close(became[1]);
        assert_int_equal(read(became[0], &byte, 1), 1);
        assert_int_equal(byte, '+');
        pass_ms(20);
        assert_int_equal(one_call(&place, outcome_of_status(200)).reason, VERDICT_CROWDED);
        assert_int_equal(write(held[1], "x", 1), 1);
        assert_int_equal(read(became[0], &byte, 1), 0); /* closed by exec */
        pass_ms(20);
        freed += one_call(&place, outcome_of_status(200)).kind == VERDICT_GO;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        pass_ms(20);
        close(became[0]);
        close(held[0]);
        close(held[1]);
    }
    assert_in_range(freed, 6, 8);
}

/* Of a process in another pid namespace nobody here can tell whether it lives. */
static void a_place_of_another_namespace_is_free_when_its_lease_is_over(void **state)
{
    struct place place = new_host("patient.test");
    struct gate_call call = open_call(&place);
    struct owner owner = {
        .pid = (uint32_t)getpid(), .space = 40, .until_s = owner_until_s(now_us / 1000000, 3600)};
    (void)state;

    gate_admit(&call, false);
    atomic_store(call.place, owner_pack(&owner));
    pass_ms(3600000);
    assert_int_equal(one_call(&place, outcome_of_status(200)).reason, VERDICT_CROWDED);
    pass_ms(2000);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    gate_close(&call);
}

/* A number that came round again: another process has it, which began at another time. */
static void a_place_of_a_process_that_had_this_number_before_is_free(void **state)
{
    struct place place = new_host("patient.test");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, false);
    struct owner owner = owner_unpack(atomic_load(call.place));
    assert_int_equal(one_call(&place, outcome_of_status(200)).reason, VERDICT_CROWDED);
    owner.started ^= 1;
    atomic_store(call.place, owner_pack(&owner));
    pass_ms(20);
    assert_int_equal(one_call(&place, outcome_of_status(200)).kind, VERDICT_GO);
    gate_close(&call);
}

static void a_policy_with_a_bulkhead_has_no_routine_calls(void **state)
{
    struct place place = new_host("three.test");
    struct gate_call call = open_call(&place);
    (void)state;

    gate_admit(&call, true);
    end(&call, outcome_of_status(200));
    gate_close(&call);
    assert_false(gate_repeat(&call));
}

static void a_refusal_says_how_many_are_in_flight(void **state)
{
    struct place place = new_host("patient.test");
    struct gate_call first = open_call(&place), second = open_call(&place);
    char text[256];
    (void)state;

    gate_admit(&first, false);
    struct verdict verdict = gate_admit(&second, false);
    gate_explain(&second, &verdict, text, sizeof text);
    assert_non_null(
        strstr(text, "patient.test:443 refused: bulkhead full by policy patient, 1 calls are in flight"));
    gate_close(&first);
    gate_close(&second);
}

static int prepare(void **state)
{
    (void)state;
    return prepare_with(configuration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_calls_as_it_says_are_in_flight),
        cmocka_unit_test(a_place_is_held_between_attempts_and_given_back_at_the_end),
        cmocka_unit_test(a_call_waits_for_a_place_as_long_as_the_rule_says),
        cmocka_unit_test(it_does_not_wait_where_the_door_may_not_nor_past_its_deadline),
        cmocka_unit_test(a_call_refused_for_another_reason_holds_no_place),
        cmocka_unit_test(a_call_that_was_left_gives_its_place_back_when_its_record_goes),
        cmocka_unit_test(a_forked_child_neither_holds_nor_gives_back_its_parents_places),
        cmocka_unit_test(the_places_of_killed_processes_are_free_before_anybody_has_waited_for_them),
        cmocka_unit_test(what_a_process_held_before_it_became_another_program_is_free),
        cmocka_unit_test(a_place_of_another_namespace_is_free_when_its_lease_is_over),
        cmocka_unit_test(a_place_of_a_process_that_had_this_number_before_is_free),
        cmocka_unit_test(a_policy_with_a_bulkhead_has_no_routine_calls),
        cmocka_unit_test(a_refusal_says_how_many_are_in_flight),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
