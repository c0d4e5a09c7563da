#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map_fixture.h"

static void a_new_file_is_whole_and_for_its_owner_alone(void **state)
{
    const struct place *place = *state;
    struct map map;
    struct stat st;
    const mode_t before = umask(0777);
    assert_int_equal(map_open(&map, place->path, 100, false, MAP_SHARE), 0);
    umask(before);
    assert_false(map.is_private);
    assert_int_equal(map.error, 0);
    assert_int_equal(map.host_count, 128);
    assert_int_equal(map.size, size_of(128));
    assert_ptr_equal(map.hosts, (char *)map.header + 4096);
    assert_ptr_equal(map.events, map.hosts + 128);
    assert_ptr_equal(map.places, map.events + LAYOUT_EVENTS);
    assert_memory_equal(map.header->magic, LAYOUT_MAGIC, 8);
    assert_int_equal(map.header->version, LAYOUT_VERSION);
    assert_int_equal(map.header->hosts, 128);
    assert_int_equal(strnlen(map.header->boot_id, 40), 36);
    assert_true(map.header->created_unix_ms > 1700000000000u);
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_size, size_of(128));
    assert_int_equal(st.st_nlink, 1);
    assert_true(st.st_blocks * 512 >= st.st_size);
    assert_int_equal(entries_of(place->folder), 1);
    map_close(&map);
}

static void two_who_open_it_see_the_same_words(void **state)
{
    const struct place *place = *state;
    struct map first, second;
    assert_int_equal(map_open(&first, place->path, 64, false, MAP_SHARE), 0);
    assert_int_equal(map_open(&second, place->path, 4096, false, MAP_EXISTING), 0);
    assert_int_equal(second.host_count, 64); /* the file keeps its own */
    first.hosts[63].used_ms = 42;
    assert_int_equal(second.hosts[63].used_ms, 42);
    map_close(&first);
    map_close(&second);
}

static void the_number_of_hosts_is_rounded_and_clamped(void **state)
{
    const struct place *place = *state;
    static const uint32_t asked[] = {0, 64, 65, 5000, UINT32_MAX};
    static const uint32_t given[] = {64, 64, 128, 8192, LAYOUT_HOSTS_MAX};
    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct map map;
        assert_int_equal(map_open(&map, place->path, asked[i], false, MAP_SHARE), 0);
        assert_int_equal(map.host_count, given[i]);
        map_close(&map);
        unlink(place->path);
    }
}

static void no_descriptor_stays_open_and_errno_is_kept(void **state)
{
    const struct place *place = *state;
    struct map map;
    const unsigned before = entries_of("/proc/self/fd");
    errno = 4711;
    map_open(&map, place->path, 0, false, MAP_SHARE);
    assert_int_equal(errno, 4711);
    map_close(&map);
    map_open(&map, place->path, 0, false, MAP_EXISTING);
    map_close(&map);
    map_open(&map, place->folder, 0, false, MAP_SHARE);
    map_close(&map);
    pretend_another_boot(place->path);
    errno = 4711;
    map_open(&map, place->path, 0, false, MAP_SHARE);
    map_close(&map);
    assert_int_equal(errno, 4711);
    assert_int_equal(entries_of("/proc/self/fd"), before);
}

static void existing_access_creates_nothing(void **state)
{
    const struct place *place = *state;
    struct map map;
    assert_int_equal(map_open(&map, place->path, 0, false, MAP_EXISTING), -ENOENT);
    assert_null(map.header);
    assert_int_equal(entries_of(place->folder), 0);
    make_file(place->path, 0);
    pretend_another_boot(place->path);
    assert_int_equal(map_open(&map, place->path, 0, false, MAP_EXISTING), -ENOENT);
    assert_null(map.header);
    assert_int_equal(chmod(place->path, 0640), 0);
    assert_int_equal(map_open(&map, place->path, 0, false, MAP_EXISTING), -EPERM);
}

static void the_default_place_names_user_and_version(void **state)
{
    (void)state;
    char text[64], expected[64];
    snprintf(expected, sizeof expected, "/dev/shm/gusset-%u.v%d", geteuid(), LAYOUT_VERSION);
    assert_int_equal(map_default_path(text, sizeof text), strlen(expected));
    assert_string_equal(text, expected);
    assert_int_equal(map_default_path(text, strlen(expected)), 0);
    assert_int_equal(map_default_path(text, strlen(expected) + 1), strlen(expected));
}

static int open_default_place(const struct place *place)
{
    char path[64];
    struct map map;
    (void)place;
    if (!may_mount() || mount("none", "/dev/shm", "tmpfs", 0, "size=8m,mode=1777") != 0)
        return CANNOT;
    map_default_path(path, sizeof path);
    if (map_open(&map, "", 0, true, MAP_SHARE) != 0 || map.is_private || access(path, F_OK) != 0)
        return FAILED;
    map_close(&map);
    /* group_shared is for a path that an administrator named, not for the folder of everybody. */
    chmod(path, 0660);
    return map_open(&map, NULL, 0, true, MAP_SHARE) == 0 && map.error == -EPERM ? WORKED : FAILED;
}

static void no_path_means_the_default_place(void **state)
{
    in_child(open_default_place, *state, "may not mount");
}

/* ---- another boot ---- */

static void a_file_of_another_boot_is_replaced(void **state)
{
    const struct place *place = *state;
    struct map old, map;
    struct stat before, after;
    assert_int_equal(map_open(&old, place->path, 64, false, MAP_SHARE), 0);
    old.header->control = 3;
    pretend_another_boot(place->path);
    assert_int_equal(stat(place->path, &before), 0);
    assert_int_equal(map_open(&map, place->path, 128, false, MAP_SHARE), 0);
    assert_false(map.is_private);
    assert_int_equal(map.header->control, 0);
    assert_int_equal(map.host_count, 128);
    assert_int_equal(old.header->control, 3); /* who has the old one mapped keeps it */
    assert_int_equal(stat(place->path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(entries_of(place->folder), 1);
    map_close(&old);
    map_close(&map);
}

static void a_groups_file_of_another_boot_is_emptied_in_place(void **state)
{
    const struct place *place = *state;
    struct map map;
    struct stat before, after;
    make_file(place->path, 64);
    assert_int_equal(map_open(&map, place->path, 64, false, MAP_SHARE), 0);
    map.hosts[5].key = 42;
    map.events[LAYOUT_EVENTS - 1].detail = 7;
    map_close(&map);
    assert_int_equal(chmod(place->path, 0660), 0);
    pretend_another_boot(place->path);
    assert_int_equal(stat(place->path, &before), 0);
    assert_int_equal(map_open(&map, place->path, 128, true, MAP_SHARE), 0);
    assert_false(map.is_private);
    assert_int_equal(map.host_count, 64);
    assert_int_equal(map.hosts[5].key, 0);
    assert_int_equal(map.events[LAYOUT_EVENTS - 1].detail, 0);
    assert_int_equal(map.header->boot_id[0] == '0' && map.header->boot_id[1] == '0' &&
                         map.header->boot_id[2] == '0' && map.header->boot_id[3] == '0',
                     0);
    assert_int_equal(stat(place->path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_int_equal(after.st_mode, S_IFREG | 0660);
    map_close(&map);
}

/* ---- many at once ---- */

enum { CROWD = 16, ADDS = 100 };

/* Each adds to a word as soon as it can: a file that was made twice would have lost some. */
static void crowd_opens(const struct place *place)
{
    int gate[2];
    pid_t children[CROWD];
    assert_int_equal(pipe(gate), 0);
    for (unsigned i = 0; i < CROWD; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct map map;
            char byte;
            close(gate[1]);
            if (read(gate[0], &byte, 1) != 0) /* until all are there */
                _exit(FAILED);
            if (map_open(&map, place->path, 64, false, MAP_SHARE) != 0 || map.is_private)
                _exit(FAILED);
            for (unsigned n = 0; n < ADDS; n++)
                map.header->event_next++;
            _exit(WORKED);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (unsigned i = 0; i < CROWD; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct map map;
    assert_int_equal(map_open(&map, place->path, 64, false, MAP_EXISTING), 0);
    assert_int_equal(map.header->event_next, CROWD * ADDS);
    map_close(&map);
    assert_int_equal(entries_of(place->folder), 1);
}

static void a_crowd_makes_one_file(void **state)
{
    const struct place *place = *state;
    for (unsigned i = 0; i < 20; i++) {
        crowd_opens(place);
        unlink(place->path);
    }
}

static void a_crowd_replaces_a_file_of_another_boot_once(void **state)
{
    const struct place *place = *state;
    make_file(place->path, 64);
    for (unsigned i = 0; i < 20; i++) {
        pretend_another_boot(place->path);
        crowd_opens(place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAP_TEST(a_new_file_is_whole_and_for_its_owner_alone),
        MAP_TEST(two_who_open_it_see_the_same_words),
        MAP_TEST(the_number_of_hosts_is_rounded_and_clamped),
        MAP_TEST(no_descriptor_stays_open_and_errno_is_kept),
        MAP_TEST(existing_access_creates_nothing),
        MAP_TEST(the_default_place_names_user_and_version),
        MAP_TEST(no_path_means_the_default_place),
        MAP_TEST(a_file_of_another_boot_is_replaced),
        MAP_TEST(a_groups_file_of_another_boot_is_emptied_in_place),
        MAP_TEST(a_crowd_makes_one_file),
        MAP_TEST(a_crowd_replaces_a_file_of_another_boot_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
