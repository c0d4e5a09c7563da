#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../emulated.h"
#include "state/map.h"

/* Each test has a folder of its own, and in it the place of the file. */
struct place {
    char folder[64];
    char path[96];
};

static int place_make(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/gusset-map-XXXXXX");
    if (!place || !mkdtemp(place->folder))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/state", place->folder);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    DIR *folder = opendir(place->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && unlinkat(dirfd(folder), entry->d_name, 0) != 0)
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    closedir(folder);
    rmdir(place->folder);
    free(place);
    return 0;
}

static unsigned entries_of(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static size_t size_of(uint32_t hosts)
{
    return sizeof(struct layout_header) + hosts * sizeof(struct layout_host) +
           LAYOUT_EVENTS * sizeof(struct layout_event) + LAYOUT_PLACES * sizeof(struct layout_places);
}

static void make_file(const char *path, uint32_t hosts)
{
    struct map map;
    assert_int_equal(map_open(&map, path, hosts, false, MAP_SHARE), 0);
    assert_false(map.is_private);
    map_close(&map);
}

static void write_at(const char *path, off_t offset, const void *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

static void pretend_another_boot(const char *path)
{
    write_at(path, offsetof(struct layout_header, boot_id), "00000000-0000-0000-0000-000000000000", 36);
}

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

/* Runs work in a child. What it does to mounts, limits and signals stays there. */
enum { WORKED = 0, FAILED = 1, CANNOT = 77 };

static void in_child(int (*work)(const struct place *), const struct place *place, const char *cannot)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0)
        _exit(work(place));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
        print_message("skipped: %s\n", cannot);
        skip();
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), WORKED);
}

static bool is_private_for(const char *path, int error)
{
    struct map map;
    const bool is = map_open(&map, path, 0, false, MAP_SHARE) == 0 && map.is_private && map.error == error;
    if (!is)
        fprintf(stderr, "private %d, error %d\n", map.is_private, map.error);
    map_close(&map);
    return is;
}

static bool may_mount(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* ---- a good place ---- */

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

/* ---- places that are not as they should be ---- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_is_whole_and_for_its_owner_alone),
        TEST(two_who_open_it_see_the_same_words),
        TEST(the_number_of_hosts_is_rounded_and_clamped),
        TEST(no_descriptor_stays_open_and_errno_is_kept),
        TEST(existing_access_creates_nothing),
        TEST(the_default_place_names_user_and_version),
        TEST(no_path_means_the_default_place),
        TEST(a_missing_folder_makes_it_private),
        TEST(odd_paths_make_it_private),
        TEST(a_symlink_is_not_followed),
        TEST(a_pipe_does_not_hold_the_program),
        TEST(a_file_that_others_may_use_is_not_believed),
        TEST(a_file_with_a_second_name_is_not_believed),
        TEST(a_file_of_another_user_is_not_believed),
        TEST(a_damaged_file_is_left_alone),
        TEST(a_size_that_no_layout_has_is_not_believed),
        TEST(the_header_does_not_say_how_many_hosts_there_are),
        TEST(a_read_only_place_makes_it_private),
        TEST(a_full_disk_makes_it_private_and_leaves_nothing_there),
        TEST(holes_on_a_full_disk_are_no_sigbus),
        TEST(holes_are_filled_where_there_is_room),
        TEST(a_limit_on_file_sizes_does_not_end_the_program),
        TEST(without_memory_there_is_no_mapping_but_no_harm),
        TEST(without_a_descriptor_it_is_private),
        TEST(file_systems_without_nameless_files_share_too),
        TEST(file_systems_without_renameat2_share_too),
        TEST(without_proc_it_is_shared_too),
        TEST(a_file_of_another_boot_is_replaced),
        TEST(a_groups_file_of_another_boot_is_emptied_in_place),
        TEST(a_crowd_makes_one_file),
        TEST(a_crowd_replaces_a_file_of_another_boot_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
