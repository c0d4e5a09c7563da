#include "config/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config/value.h"
#include "sys/raw.h"

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3); /* no text holds this byte as UTF-8: the end of one */
}

/* Beside the state, where the environment names one; a folder that others can write is fine, the file is
 * looked at. */
static void put_folder(struct value_text *out)
{
    const char *state = getenv("GUSSET_STATE");
    const char *slash = state && state[0] == '/' ? strrchr(state, '/') : NULL;
    char folder[CACHE_FOLDER_MOST];

    if (!slash || (size_t)(slash - state) >= sizeof folder) {
        value_put(out, "/dev/shm");
        return;
    }
    memcpy(folder, state, (size_t)(slash - state));
    folder[slash - state] = '\0';
    value_put(out, folder);
}

void cache_path(const struct source_paths *paths, const struct source_request *request,
                char path[CACHE_PATH_MOST])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ IMAGE_LAYOUT;
    hash = hash_text(hash, paths->system);
    hash = hash_text(hash, paths->named);
    hash = hash_text(hash, paths->user);
    hash = hash_text(hash, request->policy);
    hash = hash_text(hash, request->set);

    struct value_text out = {path, CACHE_PATH_MOST, 0};
    put_folder(&out);
    value_put(&out, "/gusset-");
    value_put_decimal(&out, sys_geteuid(), 0, 0);
    value_put(&out, ".rules-");
    value_put_hex(&out, hash);
}

/* Ours alone, and one name only: a second could be held by whoever waits for its contents. */
static bool is_private(const struct stat *file)
{
    return S_ISREG(file->st_mode) && file->st_uid == sys_geteuid() && (file->st_mode & 07777) == 0600 &&
           file->st_nlink == 1;
}

/*
 * A small image is read whole in any case (it is summed up), so it is copied: whoever cuts the file short
 * later does no harm. In one that is mapped, what lay behind the new end is a SIGBUS. NULL when it cannot be
 * had.
 */
static void *take_file(int fd, size_t size)
{
    const bool is_small = size <= IMAGE_SUMMED_MOST;
    void *bytes = mmap(NULL, size, is_small ? PROT_READ | PROT_WRITE : PROT_READ,
                       is_small ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE, is_small ? -1 : fd, 0);
    if (bytes == MAP_FAILED)
        return NULL;
    if (is_small && sys_read(fd, bytes, size) != (long)size) {
        munmap(bytes, size);
        return NULL;
    }
    return bytes;
}

static int map_file(struct image *image, int fd)
{
    struct stat file;
    int result = sys_fstat(fd, &file);
    if (result < 0)
        return result;
    if (!is_private(&file))
        return -EPERM;
    if (file.st_size < (off_t)sizeof(struct image_header) || file.st_size > UINT32_MAX)
        return -EBADMSG;
    size_t size = (size_t)file.st_size;
    void *bytes = take_file(fd, size);
    if (!bytes)
        return -EIO;
    result = image_attach(image, bytes, size);
    if (result < 0)
        munmap(bytes, size);
    return result;
}

int cache_open(struct image *image, const struct source_paths *paths, const struct source_request *request)
{
    const int kept = errno;
    char path[CACHE_PATH_MOST];

    cache_path(paths, request, path);
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    int result = map_file(image, fd);
    sys_close(fd);
    if (result == 0 && (!image_answers(image, paths, request) || !image_is_fresh(image))) {
        cache_close(image);
        result = -ESTALE;
    }
    errno = kept;
    return result;
}

/*
 * Growing beyond RLIMIT_FSIZE (`ulimit -f`) would not only fail but raise SIGXFSZ, which ends the
 * program; so the limit is asked first.
 */
static int write_whole(int fd, const char *bytes, size_t size)
{
    if (sys_file_size_limit() < size)
        return -EFBIG;
    while (size > 0) {
        long done = sys_write(fd, bytes, size);
        if (done == -EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? (int)done : -EIO;
        bytes += done;
        size -= (size_t)done;
    }
    return 0;
}

enum { SWEEP_READS_MOST = 256, SWEEP_READ_SIZE = 2048, SWEEP_AGE_S = 24 * 60 * 60 };

/*
 * Neither written nor mapped for a day (relatime notes one use a day) before what was written just now. The
 * clock is not asked: a program may have been given another (libfaketime).
 */
static bool is_forgotten(const struct stat *file, time_t now_s)
{
    time_t used = file->st_atime > file->st_mtime ? file->st_atime : file->st_mtime;
    return S_ISREG(file->st_mode) && file->st_uid == sys_geteuid() && used < now_s - SWEEP_AGE_S;
}

/* Entries of a folder, so many bytes of them: those whose names begin so. */
static void sweep_entries(int folder, const char *entries, long size, const char *prefix, size_t length,
                          time_t now_s)
{
    const struct sys_entry *entry;
    struct stat file;

    for (; size > 0; entries += entry->size, size -= entry->size) {
        entry = (const void *)entries;
        if (strncmp(entry->name, prefix, length) == 0 &&
            sys_stat_at(folder, entry->name, &file, AT_SYMLINK_NOFOLLOW) == 0 && is_forgotten(&file, now_s))
            sys_unlink_at(folder, entry->name);
    }
}

/*
 * Takes away our images and drafts that nobody uses any more, beside the one under path: each --set has an
 * image of its own. Who has one mapped keeps it. Apart, because the way here is the first call's in every
 * program, whose stack may be small.
 */
static __attribute__((noinline)) void sweep(const char *path, time_t now_s)
{
    char folder[CACHE_PATH_MOST];
    const char *name = strrchr(path, '/') + 1;
    const char *prefix_end = strrchr(name, '-') + 1;
    struct value_text out = {folder, sizeof folder, 0};
    _Alignas(struct sys_entry) char entries[SWEEP_READ_SIZE];
    long got = 1;

    value_put_bytes(&out, path, (size_t)(name - path));
    int fd = sys_openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    for (int i = 0; i < SWEEP_READS_MOST && got > 0; i++) {
        got = sys_read_folder(fd, entries, sizeof entries);
        sweep_entries(fd, entries, got, name, (size_t)(prefix_end - name), now_s);
    }
    sys_close(fd);
}

int cache_write(const struct source_paths *paths, const struct source_request *request, const void *bytes,
                size_t size)
{
    char path[CACHE_PATH_MOST], draft[CACHE_PATH_MOST];

    cache_path(paths, request, path);
    struct stat written = {0};
    struct value_text name = {draft, sizeof draft, 0};
    value_put(&name, path);
    value_put(&name, ".");
    value_put_decimal(&name, (uint64_t)sys_gettid(), 0, 0); /* two threads may compile at once */

    sys_unlink(draft); /* left behind by one of the same number that was killed */
    int fd = sys_openat(AT_FDCWD, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fd;
    int result = sys_fchmod(fd, 0600); /* whatever the umask says */
    if (result == 0)
        result = write_whole(fd, bytes, size);
    if (result == 0)
        result = sys_fstat(fd, &written);
    sys_close(fd);
    if (result == 0)
        result = sys_rename(draft, path);
    if (result < 0)
        sys_unlink(draft);
    else
        sweep(path, written.st_mtime);
    return result;
}

void cache_close(struct image *image)
{
    munmap((void *)(uintptr_t)image->header, image->size);
    *image = (struct image){0};
}
