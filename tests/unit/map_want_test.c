/* There is no room, no memory, no descriptor, or not all that Linux has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../emulated.h"
#include "map_fixture.h"

static bool is_private_for(const char *path, int error)
{
    struct map map;
    const bool is = map_open(&map, path, 0, false, MAP_SHARE) == 0 && map.is_private && map.error == error;
    if (!is)
        fprintf(stderr, "private %d, error %d\n", map.is_private, map.error);
    map_close(&map);
    return is;
}

static int use_read_only_place(const struct place *place)
{
    if (!may_mount() || mount("none", place->folder, "tmpfs", MS_RDONLY, "size=1m") != 0)
        return CANNOT;
    return is_private_for(place->path, -EROFS) ? WORKED : FAILED;
}

static void a_read_only_place_makes_it_private(void **state)
{
    in_child(use_read_only_place, *state, "may not mount");
}

static int use_full_disk(const struct place *place)
{
    if (!may_mount() || mount("none", place->folder, "tmpfs", 0, "size=64k") != 0)
        return CANNOT;
    return is_private_for(place->path, -ENOSPC) && entries_of(place->folder) == 0 ? WORKED : FAILED;
}

static void a_full_disk_makes_it_private_and_leaves_nothing_there(void **state)
{
    in_child(use_full_disk, *state, "may not mount");
}

/* The file is there in its whole size, but most of it is a hole: to touch it would be a SIGBUS. */
static int use_holes_on_full_disk(const struct place *place)
{
    struct layout_header header = {.version = LAYOUT_VERSION, .hosts = 64};
    memcpy(header.magic, LAYOUT_MAGIC, 8);
    if (!may_mount() || mount("none", place->folder, "tmpfs", 0, "size=64k") != 0)
        return CANNOT;
    const int fd = open(place->path, O_RDWR | O_CREAT, 0600);
    if (write(fd, &header, sizeof header) != sizeof header || ftruncate(fd, (off_t)size_of(64)) != 0)
        return FAILED;
    close(fd);
    struct map map;
    const bool is_private = map_open(&map, place->path, 0, false, MAP_SHARE) == 0 && map.is_private;
    memset(map.hosts, 1, 64 * sizeof *map.hosts);
    return is_private && map.error != 0 ? WORKED : FAILED;
}

static void holes_on_a_full_disk_are_no_sigbus(void **state)
{
    unless_emulated("qemu-user answers madvise with yes, and does nothing");
    in_child(use_holes_on_full_disk, *state, "may not mount");
}

static void holes_are_filled_where_there_is_room(void **state)
{
    const struct place *place = *state;
    struct map map;
    struct stat st;
    make_file(place->path, 64);
    assert_int_equal(truncate(place->path, 4096), 0);
    assert_int_equal(truncate(place->path, (off_t)size_of(64)), 0);
    assert_int_equal(map_open(&map, place->path, 0, false, MAP_SHARE), 0);
    assert_false(map.is_private);
    sync();
    assert_int_equal(stat(place->path, &st), 0);
    map_close(&map);
}

static int use_file_size_limit(const struct place *place)
{
    const struct rlimit none = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &none); /* SIGXFSZ keeps its default: death */
    return is_private_for(place->path, -EFBIG) ? WORKED : FAILED;
}

static void a_limit_on_file_sizes_does_not_end_the_program(void **state)
{
    in_child(use_file_size_limit, *state, "");
}

static int use_no_memory(const struct place *place)
{
    const struct rlimit none = {0, 0};
    struct map map;
    setrlimit(RLIMIT_AS, &none);
    return map_open(&map, place->path, 0, false, MAP_SHARE) == -ENOMEM && !map.header ? WORKED : FAILED;
}

static void without_memory_there_is_no_mapping_but_no_harm(void **state)
{
    unless_emulated("qemu-user does not keep RLIMIT_AS");
    in_child(use_no_memory, *state, "");
}

static int use_no_descriptors(const struct place *place)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NOFILE, &none);
    return is_private_for(place->path, -EMFILE) ? WORKED : FAILED;
}

static void without_a_descriptor_it_is_private(void **state)
{
    in_child(use_no_descriptors, *state, "");
}

/* ---- systems that lack something ---- */

/* Lets openat with O_TMPFILE and renameat2 fail, as old kernels and file systems do. */
static bool forbid_nameless_files(int rename_error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 2),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K,
                 rename_error ? SECCOMP_RET_ERRNO | (unsigned)rename_error : SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Creates, opens, renews. */
static int share_as_usual(const struct place *place)
{
    struct map first, second;
    struct stat st;
    if (map_open(&first, place->path, 64, false, MAP_SHARE) != 0 || first.is_private ||
        map_open(&second, place->path, 64, false, MAP_SHARE) != 0 || second.is_private)
        return FAILED;
    first.header->control = 3;
    if (second.header->control != 3 || stat(place->path, &st) != 0 || st.st_mode != (S_IFREG | 0600))
        return FAILED;
    map_close(&first);
    map_close(&second);
    pretend_another_boot(place->path);
    const bool knows_its_boot = access("/proc/sys/kernel/random/boot_id", F_OK) == 0;
    if (map_open(&first, place->path, 64, false, MAP_SHARE) != 0 || first.is_private ||
        first.header->control != (knows_its_boot ? 0 : 3))
        return FAILED;
    map_close(&first);
    return stat(place->path, &st) == 0 && st.st_nlink == 1 && entries_of(place->folder) == 1 ? WORKED
                                                                                             : FAILED;
}

static int share_without_nameless_files(const struct place *place)
{
    return forbid_nameless_files(0) ? share_as_usual(place) : CANNOT;
}

static int share_with_link_only(const struct place *place)
{
    return forbid_nameless_files(EINVAL) ? share_as_usual(place) : CANNOT;
}

static int share_without_proc(const struct place *place)
{
    return may_mount() && mount("none", "/proc", "tmpfs", 0, "size=64k") == 0 ? share_as_usual(place)
                                                                              : CANNOT;
}

static void file_systems_without_nameless_files_share_too(void **state)
{
    in_child(share_without_nameless_files, *state, "no seccomp");
}

static void file_systems_without_renameat2_share_too(void **state)
{
    in_child(share_with_link_only, *state, "no seccomp");
}

static void without_proc_it_is_shared_too(void **state)
{
    in_child(share_without_proc, *state, "may not mount");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAP_TEST(a_read_only_place_makes_it_private),
        MAP_TEST(a_full_disk_makes_it_private_and_leaves_nothing_there),
        MAP_TEST(holes_on_a_full_disk_are_no_sigbus),
        MAP_TEST(holes_are_filled_where_there_is_room),
        MAP_TEST(a_limit_on_file_sizes_does_not_end_the_program),
        MAP_TEST(without_memory_there_is_no_mapping_but_no_harm),
        MAP_TEST(without_a_descriptor_it_is_private),
        MAP_TEST(file_systems_without_nameless_files_share_too),
        MAP_TEST(file_systems_without_renameat2_share_too),
        MAP_TEST(without_proc_it_is_shared_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
