/* state/places: never more than there are, whoever is killed; and what becomes of a full table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/owner.h"
#include "state/places.h"
#include "state_fixture.h"
#include "sys/process.h"

enum { PROCESSES = 12, MOST = 5, TURNS = 4000, KILLED = 60 };

static uint64_t owner_of(uint32_t pid)
{
    struct owner owner = {.pid = pid};
    return owner_pack(&owner);
}

static bool has_ended(uint64_t word, void *data)
{
    struct process found;
    (void)data;
    return !process_runs(owner_unpack(word).pid, &found);
}

static void a_key_has_as_many_places_as_it_is_given(void **state)
{
    _Atomic uint64_t *places[100], *one;
    struct map *map = *state;

    for (uint32_t most = 1; most < 100; most += 7) {
        for (uint32_t i = 0; i < most; i++)
            assert_int_equal(places_take(map, 42, most, owner_of(1), NULL, NULL, &places[i]), 0);
        assert_int_equal(places_take(map, 42, most, owner_of(1), NULL, NULL, &one), -EAGAIN);
        assert_int_equal(places_held(map, 42, NULL, NULL), most);
        assert_int_equal(places_held(map, 43, NULL, NULL), 0);
        for (uint32_t i = 0; i < most; i++)
            places_leave(places[i], owner_of(1));
        assert_int_equal(places_held(map, 42, NULL, NULL), 0);
    }
}

static void only_its_owner_gives_a_place_back(void **state)
{
    _Atomic uint64_t *place;
    struct map *map = *state;

    assert_int_equal(places_take(map, 7, 1, owner_of(1), NULL, NULL, &place), 0);
    places_leave(place, owner_of(2));
    assert_int_equal(places_held(map, 7, NULL, NULL), 1);
    places_leave(place, owner_of(1));
    assert_int_equal(places_held(map, 7, NULL, NULL), 0);
}

/* Takes and leaves; the witness of a place says who holds it, and another that lives must not be met there.
 */
static void loop(struct map *map, _Atomic uint32_t *witness, int turns)
{
    uint64_t self = owner_of((uint32_t)getpid());
    struct process found;
    _Atomic uint64_t *place;

    for (int i = 0; turns < 0 || i < turns; i++) {
        if (places_take(map, 99, MOST, self, has_ended, NULL, &place) != 0)
            continue;
        _Atomic uint32_t *mine = &witness[((uintptr_t)place / 8) % 4096];
        uint32_t before = atomic_exchange(mine, (uint32_t)getpid());
        if (before && process_runs(before, &found))
            _exit(1);
        atomic_store(mine, 0);
        places_leave(place, self);
    }
    _exit(0);
}

static pid_t begin(struct map *map, _Atomic uint32_t *witness, int turns)
{
    pid_t child = fork();

    if (child == 0)
        loop(map, witness, turns);
    return child;
}

static void racing_processes_never_share_a_place_though_many_are_killed(void **state)
{
    struct map *map = *state;
    pid_t children[PROCESSES];
    int status;
    _Atomic uint32_t *witness =
        mmap(NULL, 4096 * sizeof *witness, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < PROCESSES; i++)
        children[i] = begin(map, witness, i < 2 ? TURNS : -1);
    for (int i = 0; i < KILLED; i++) {
        int victim = 2 + i % (PROCESSES - 2);
        usleep(2000);
        assert_int_equal(waitpid(children[victim], &status, WNOHANG), 0); /* it has met nobody */
        kill(children[victim], SIGKILL);
        waitpid(children[victim], &status, 0);
        children[victim] = begin(map, witness, -1);
    }
    for (int i = 2; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, WNOHANG), 0);
        kill(children[i], SIGKILL);
        waitpid(children[i], &status, 0);
    }
    for (int i = 0; i < 2; i++) {
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(places_held(map, 99, has_ended, NULL), 0);
    munmap(witness, 4096 * sizeof *witness);
}

static void a_full_table_gives_the_rows_of_idle_keys_away_and_keeps_the_others(void **state)
{
    struct map *map = *state;
    _Atomic uint64_t *place, *kept;

    assert_int_equal(places_take(map, 1000, 1, owner_of(1), NULL, NULL, &kept), 0);
    for (uint64_t key = 2000; key < 2000 + 4 * LAYOUT_PLACES; key++) {
        assert_int_equal(places_take(map, key, 1, owner_of(1), NULL, NULL, &place), 0);
        places_leave(place, owner_of(1));
    }
    assert_int_equal(places_held(map, 1000, NULL, NULL), 1);
    assert_int_equal(places_take(map, 1000, 1, owner_of(1), NULL, NULL, &place), -EAGAIN);
    places_leave(kept, owner_of(1));
}

static void where_every_row_is_in_use_there_is_no_room_and_it_says_so(void **state)
{
    struct map *map = *state;
    _Atomic uint64_t *place;
    int error = 0;

    for (uint64_t key = 1; error == 0 && key < 2 * LAYOUT_PLACES; key++)
        error = places_take(map, key, 1, owner_of(1), NULL, NULL, &place);
    assert_int_equal(error, -ENOSPC);
}

static void namespaces_are_numbered_once_and_what_has_none_left_is_unknown(void **state)
{
    struct map *map = *state;

    assert_int_equal(places_space(map, 0), LAYOUT_SPACES);
    for (uint64_t inode = 1; inode <= LAYOUT_SPACES; inode++)
        assert_int_equal(places_space(map, inode), inode - 1);
    assert_int_equal(places_space(map, 5), 4);
    assert_int_equal(places_space(map, 1000), LAYOUT_SPACES);
    assert_int_equal((int)LAYOUT_SPACES, (int)OWNER_SPACE_UNKNOWN);
}

static void a_process_knows_itself_and_that_a_killed_one_has_ended(void **state)
{
    struct process self = process_self();
    struct process found;
    (void)state;

    assert_int_equal(self.pid, getpid());
    assert_true(process_runs(self.pid, &found));
    assert_int_equal(found.started, self.started);
    assert_int_equal(found.stack, self.stack);
    assert_true(self.started && self.stack);
    pid_t child = fork();
    if (child == 0)
        _exit(process_self().pid == (uint32_t)getpid() && process_self().started >= self.started ? 0 : 1);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, 0);
    assert_false(process_runs((uint32_t)child, &found)); /* ended, but not waited for */
    waitpid(child, NULL, 0);
    assert_false(process_runs((uint32_t)child, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_has_as_many_places_as_it_is_given, map_make, map_remove),
        cmocka_unit_test_setup_teardown(only_its_owner_gives_a_place_back, map_make, map_remove),
        cmocka_unit_test_setup_teardown(racing_processes_never_share_a_place_though_many_are_killed, map_make,
                                        map_remove),
        cmocka_unit_test_setup_teardown(a_full_table_gives_the_rows_of_idle_keys_away_and_keeps_the_others,
                                        map_make, map_remove),
        cmocka_unit_test_setup_teardown(where_every_row_is_in_use_there_is_no_room_and_it_says_so, map_make,
                                        map_remove),
        cmocka_unit_test_setup_teardown(namespaces_are_numbered_once_and_what_has_none_left_is_unknown,
                                        map_make, map_remove),
        cmocka_unit_test(a_process_knows_itself_and_that_a_killed_one_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
