/* Rules that change in a process which forks, and in one that only connects. */
#include "gate_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "config/rules.h"
#include "state/control.h"

#include "../emulated.h"

static const char beginning[] =
    "version = 1; hosts = ( { match = \"*\"; policy = \"quick\"; retry: { attempts = ";

/* In one step, as an editor does. */
static void configure(int attempts)
{
    char path[64], draft[64];

    snprintf(path, sizeof path, "%s/gusset.cfg", folder);
    snprintf(draft, sizeof draft, "%s/draft", folder);
    FILE *file = fopen(draft, "w");
    assert_non_null(file);
    fprintf(file, "%s%d; }; } );", beginning, attempts);
    fclose(file);
    chmod(draft, 0600);
    assert_int_equal(rename(draft, path), 0);
}

/* What `gusset reload` does, as another process: this program, run with an argument, the way it was run
 * itself. */
static int compile_and_tell(void)
{
    const struct rules *rules = NULL;
    struct map map;
    char text[512];

    if (rules_open(&rules, "compiles", true, text, sizeof text) < 0 ||
        map_open(&map, getenv("GUSSET_STATE"), 0, false, MAP_EXISTING) < 0)
        return 1;
    control_change(map.header);
    return 0;
}

static bool another_process_compiles(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "exec ${EMULATOR:-} \"$0\" compile", program_invocation_name,
              (char *)NULL);
        _exit(1);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static uint32_t attempts_by(bool (*open)(struct gate_call *, const struct place *))
{
    struct place place = new_host("test");
    struct gate_call call = {.policy = NULL};
    uint32_t attempts = open(&call, &place) ? gate_attempts(&call) : 0;

    gate_leave(&call);
    return attempts;
}

static bool opened_by_connect(struct gate_call *call, const struct place *place)
{
    struct rules_query query = {.place = place};
    struct rules_match match;
    return gate_matches(call, &query, &match) && gate_open_matched(call, place, &match);
}

static bool opened_by_curl(struct gate_call *call, const struct place *place)
{
    struct rules_query query = {.place = place, .method = METHOD_GET, .path = "/", .path_length = 1};
    return gate_open(call, &query, true);
}

static void what_was_told_between_its_start_and_its_first_connect_holds_for_who_only_connects(void **state)
{
    (void)state;
    configure(3);
    assert_true(another_process_compiles());
    assert_int_equal(attempts_by(opened_by_connect), 3);
    configure(4);
    assert_true(another_process_compiles());
    assert_int_equal(attempts_by(opened_by_connect), 4);
}

/* ---- a fork while another thread looks ---- */

static atomic_bool is_over, shall_rest, rests;

static void *looks_all_the_time(void *unused)
{
    for (int i = 0; !is_over; i++) {
        configure(10 + i % 10);
        pass_ms(600);
        attempts_by(opened_by_curl);
        for (rests = shall_rest; shall_rest && !is_over;)
            usleep(100);
        rests = false;
    }
    return unused;
}

static int change_in_child(int told, int attempts)
{
    char byte;

    if (read(told, &byte, 1) != 1)
        return 1;
    configure(attempts);
    if (!another_process_compiles())
        return 2;
    pass_ms(600);
    if (attempts_by(opened_by_connect) != (uint32_t)attempts)
        return 3;
    configure(attempts + 1);
    if (!another_process_compiles())
        return 4;
    pass_ms(600);
    return attempts_by(opened_by_curl) == (uint32_t)attempts + 1 ? 0 : 5;
}

/* Most of the time the thread is at it. */
static void a_child_that_is_forked_while_another_thread_looks_goes_on_looking(void **state)
{
    pthread_t thread;
    int told[2], status;
    (void)state;
    unless_emulated("qemu-user answers MADV_WIPEONFORK with yes, and does nothing");

    assert_int_equal(pthread_create(&thread, NULL, looks_all_the_time, NULL), 0);
    for (int i = 0; i < 12; i++) {
        usleep((useconds_t)(1000 + 371 * i));
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0)
            _exit(change_in_child(told[0], 30 + 2 * i));
        shall_rest = true;
        while (!rests)
            usleep(100);
        assert_int_equal(write(told[1], "x", 1), 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        shall_rest = false;
        close(told[0]);
        close(told[1]);
    }
    is_over = true;
    pthread_join(thread, NULL);
}

static int prepare(void **state)
{
    char text[256];
    (void)state;

    snprintf(text, sizeof text, "%s2; }; } );", beginning);
    return prepare_with(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_told_between_its_start_and_its_first_connect_holds_for_who_only_connects),
        cmocka_unit_test(a_child_that_is_forked_while_another_thread_looks_goes_on_looking),
    };
    (void)argv;
    return argc > 1 ? compile_and_tell() : cmocka_run_group_tests(tests, prepare, tidy);
}
