/* What lies at the place is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map_fixture.h"

/* A private mapping works as well as any, and says why it is one. */
static void assert_private(const char *path, bool group_shared, int error)
{
    struct map map;
    assert_int_equal(map_open(&map, path, 0, group_shared, MAP_SHARE), 0);
    assert_true(map.is_private);
    assert_int_equal(map.error, error);
    assert_int_equal(map.host_count, LAYOUT_HOSTS_MIN);
    assert_memory_equal(map.header->magic, LAYOUT_MAGIC, 8);
    map.hosts[map.host_count - 1].used_ms = 1;
    map.events[LAYOUT_EVENTS - 1].detail = 1;
    map_close(&map);
    assert_null(map.header);
}

static void a_missing_folder_makes_it_private(void **state)
{
    const struct place *place = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/none/state", place->folder);
    assert_private(path, false, -ENOENT);
}

static void odd_paths_make_it_private(void **state)
{
    const struct place *place = *state;
    static char path[5000] = "/";
    assert_private("state", false, -EINVAL);
    memset(path + 1, 'x', sizeof path - 2);
    assert_private(path, false, -ENAMETOOLONG);
    assert_private(place->folder, false, -EISDIR);
    assert_private("/dev/null", false, -EPERM);
    assert_private("/", false, -EISDIR);
}

static void a_symlink_is_not_followed(void **state)
{
    const struct place *place = *state;
    char other[128];
    snprintf(other, sizeof other, "%s/other", place->folder);
    make_file(other, 0);
    assert_int_equal(symlink(other, place->path), 0);
    assert_private(place->path, false, -ELOOP);
    unlink(other);
    assert_private(place->path, false, -ELOOP);
    assert_int_equal(access(other, F_OK), -1);
}

static void a_pipe_does_not_hold_the_program(void **state)
{
    const struct place *place = *state;
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_private(place->path, false, -EPERM);
}

static void a_file_that_others_may_use_is_not_believed(void **state)
{
    const struct place *place = *state;
    make_file(place->path, 0);
    static const mode_t modes[] = {0640, 0660, 0604, 0700, 04600, 0666};
    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(place->path, modes[i]), 0);
        assert_private(place->path, false, -EPERM);
    }
}

static void a_file_with_a_second_name_is_not_believed(void **state)
{
    const struct place *place = *state;
    char other[128];
    snprintf(other, sizeof other, "%s/other", place->folder);
    make_file(place->path, 0);
    assert_int_equal(link(place->path, other), 0);
    assert_private(place->path, false, -EPERM);
}

static void a_file_of_another_user_is_not_believed(void **state)
{
    const struct place *place = *state;
    make_file(place->path, 0);
    if (chown(place->path, geteuid() + 1, getegid()) != 0) {
        print_message("skipped: may not chown\n");
        skip();
    }
    assert_private(place->path, false, -EPERM);
    struct map map; /* where an administrator made it for a group it is */
    assert_int_equal(chmod(place->path, 0660), 0);
    assert_int_equal(map_open(&map, place->path, 0, true, MAP_SHARE), 0);
    assert_false(map.is_private);
    map_close(&map);
    assert_int_equal(chmod(place->path, 0662), 0);
    assert_private(place->path, true, -EPERM);
}

static void a_damaged_file_is_left_alone(void **state)
{
    const struct place *place = *state;
    make_file(place->path, 0);
    write_at(place->path, 0, "X", 1);
    assert_private(place->path, false, -EBADMSG);
    write_at(place->path, 0, LAYOUT_MAGIC, 8);
    const uint32_t version = LAYOUT_VERSION + 1;
    write_at(place->path, offsetof(struct layout_header, version), &version, sizeof version);
    assert_private(place->path, false, -EBADMSG);
}

static void a_size_that_no_layout_has_is_not_believed(void **state)
{
    const struct place *place = *state;
    make_file(place->path, 64);
    const off_t sizes[] = {0,
                           1,
                           4096,
                           (off_t)size_of(0),
                           (off_t)size_of(63),
                           (off_t)size_of(64) - 1,
                           (off_t)size_of(64) + 1,
                           (off_t)size_of(65),
                           (off_t)size_of(96),
                           (off_t)size_of(2 * LAYOUT_HOSTS_MAX)};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(truncate(place->path, sizes[i]), 0);
        write_at(place->path, 0, sizes[i] >= 8 ? LAYOUT_MAGIC : "", sizes[i] >= 8 ? 8 : 0);
        assert_private(place->path, false, -EBADMSG);
    }
}

static void the_header_does_not_say_how_many_hosts_there_are(void **state)
{
    const struct place *place = *state;
    struct map map;
    const uint32_t lie = LAYOUT_HOSTS_MAX;
    make_file(place->path, 64);
    write_at(place->path, offsetof(struct layout_header, hosts), &lie, sizeof lie);
    assert_int_equal(map_open(&map, place->path, 0, false, MAP_SHARE), 0);
    assert_int_equal(map.host_count, 64);
    map_close(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAP_TEST(a_missing_folder_makes_it_private),
        MAP_TEST(odd_paths_make_it_private),
        MAP_TEST(a_symlink_is_not_followed),
        MAP_TEST(a_pipe_does_not_hold_the_program),
        MAP_TEST(a_file_that_others_may_use_is_not_believed),
        MAP_TEST(a_file_with_a_second_name_is_not_believed),
        MAP_TEST(a_file_of_another_user_is_not_believed),
        MAP_TEST(a_damaged_file_is_left_alone),
        MAP_TEST(a_size_that_no_layout_has_is_not_believed),
        MAP_TEST(the_header_does_not_say_how_many_hosts_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
