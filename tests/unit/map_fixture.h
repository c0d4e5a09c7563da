/* What the tests of the shared file have in common: a folder each, and in it the place of the file. */
#ifndef GUSSET_TESTS_MAP_FIXTURE_H
#define GUSSET_TESTS_MAP_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "child.h"
#include "state/map.h"

struct place {
    char folder[64];
    char path[96];
};

static inline int place_make(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/gusset-map-XXXXXX");
    if (!place || !mkdtemp(place->folder))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/state", place->folder);
    *state = place;
    return 0;
}

static inline int place_remove(void **state)
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

static inline unsigned entries_of(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static inline size_t size_of(uint32_t hosts)
{
    return sizeof(struct layout_header) + hosts * sizeof(struct layout_host) +
           LAYOUT_EVENTS * sizeof(struct layout_event) + LAYOUT_PLACES * sizeof(struct layout_places);
}

static inline void make_file(const char *path, uint32_t hosts)
{
    struct map map;
    assert_int_equal(map_open(&map, path, hosts, false, MAP_SHARE), 0);
    assert_false(map.is_private);
    map_close(&map);
}

static inline void write_at(const char *path, off_t offset, const void *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

static inline void pretend_another_boot(const char *path)
{
    write_at(path, offsetof(struct layout_header, boot_id), "00000000-0000-0000-0000-000000000000", 36);
}

static inline void in_child(int (*work)(const struct place *), const struct place *place, const char *cannot)
{
    const pid_t child = fork();
    if (child == 0)
        _exit(work(place));
    child_ends(child, cannot);
}

static inline bool may_mount(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#define MAP_TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

#endif
