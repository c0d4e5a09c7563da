/*
 * A new file is given its disk space and laid out before it has its place (state/draft). Whoever loses the
 * race opens what the winner made.
 *
 * What is met at the place is believed only after a look at its owner, mode, links, size and header, and
 * only when its blocks are really there: touching a hole while the disk is full is a SIGBUS.
 *
 * A file of an earlier boot is renewed by one process at a time: flock(2) on the old file tells who.
 * The kernel drops that lock with its holder; nothing else here is ever locked.
 */
#include "state/map.h"

#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "state/draft.h"
#include "sys/clock.h"
#include "sys/raw.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum {
    TRIES = 50, /* of opening, while others create or renew the file */
    PAUSE_MS = 2,
    EVENTS_SIZE = LAYOUT_EVENTS * (int)sizeof(struct layout_event),
    PLACES_SIZE = LAYOUT_PLACES * (int)sizeof(struct layout_places)
};

/* What is read of a header before it is mapped: all up to the boot id. */
enum { HEADER_PREFIX = offsetof(struct layout_header, control) };

size_t map_default_path(char *text, size_t size)
{
    char path[64];
    size_t length = path_append(path, 0, sizeof path, "/dev/shm/gusset-");
    length = path_append_number(path, length, sizeof path, sys_geteuid(), 10);
    length = path_append(path, length, sizeof path, ".v");
    length = path_append_number(path, length, sizeof path, LAYOUT_VERSION, 10);
    if (length >= size)
        return 0;
    memcpy(text, path, length + 1);
    return length;
}

/* ---- sizes and headers ---- */

static uint32_t hosts_rounded(uint32_t hosts)
{
    uint32_t rounded = LAYOUT_HOSTS_MIN;
    while (rounded < hosts && rounded < LAYOUT_HOSTS_MAX)
        rounded *= 2;
    return rounded;
}

static size_t size_for(uint32_t hosts)
{
    return sizeof(struct layout_header) + (size_t)hosts * sizeof(struct layout_host) + EVENTS_SIZE +
           PLACES_SIZE;
}

/* The slots of a file of this size; 0 when no layout has it. */
static uint32_t hosts_in(off_t size)
{
    if (size < (off_t)size_for(LAYOUT_HOSTS_MIN) || size > (off_t)size_for(LAYOUT_HOSTS_MAX))
        return 0;
    const uint32_t hosts = (uint32_t)(((size_t)size - size_for(0)) / sizeof(struct layout_host));
    return (hosts & (hosts - 1)) == 0 && (off_t)size_for(hosts) == size ? hosts : 0;
}

/* This boot's id, NUL-padded; all zero when /proc does not tell. */
static void boot_id_read(char id[sizeof((struct layout_header *)0)->boot_id])
{
    enum { LENGTH = 36 };
    memset(id, 0, sizeof((struct layout_header *)0)->boot_id);
    const int fd = sys_openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sys_read(fd, id, LENGTH) != LENGTH)
        memset(id, 0, LENGTH);
    sys_close(fd);
}

static void header_write(struct layout_header *header, uint32_t hosts)
{
    memcpy(header->magic, LAYOUT_MAGIC, sizeof header->magic);
    header->version = LAYOUT_VERSION;
    header->hosts = hosts;
    header->created_unix_ms = clock_unix_ms();
    boot_id_read(header->boot_id);
}

/* Where one side's boot is unknown (no /proc) the file is believed: times of the future count as expired. */
static bool is_same_boot(const char *theirs)
{
    char ours[sizeof((struct layout_header *)0)->boot_id];
    boot_id_read(ours);
    return ours[0] == '\0' || theirs[0] == '\0' || memcmp(ours, theirs, sizeof ours) == 0;
}

/* ---- memory ---- */

static void lay_out(struct map *map, void *memory, uint32_t hosts)
{
    unsigned char *bytes = memory;
    map->header = memory;
    map->hosts = (struct layout_host *)(void *)(bytes + sizeof(struct layout_header));
    map->events = (struct layout_event *)(void *)(map->hosts + hosts);
    map->places = (struct layout_places *)(void *)(map->events + LAYOUT_EVENTS);
    map->host_count = hosts;
    map->size = size_for(hosts);
}

static int map_memory(struct map *map, int fd, uint32_t hosts, int flags)
{
    void *memory = mmap(NULL, size_for(hosts), PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED)
        return errno == EAGAIN ? -ENOMEM : -errno; /* EAGAIN: mlockall and its limit */
    lay_out(map, memory, hosts);
    return 0;
}

void map_close(struct map *map)
{
    const int kept = errno;
    if (map->header)
        munmap(map->header, map->size);
    *map = (struct map){0};
    errno = kept;
}

static int open_private(struct map *map, uint32_t hosts, int why)
{
    const int result = map_memory(map, -1, hosts, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (result != 0)
        return result;
    header_write(map->header, hosts);
    map->is_private = true;
    map->error = why;
    return 0;
}

/*
 * Gives the file its blocks. Growing beyond RLIMIT_FSIZE (`ulimit -f`) would not only fail but raise
 * SIGXFSZ, which ends the program; so the limit is asked first.
 */
static int reserve(int fd, size_t size)
{
    if (sys_file_size_limit() < size)
        return -EFBIG;
    int result = EINTR;
    for (int i = 0; i < TRIES && result == EINTR; i++) /* a profiler's timer may come again and again */
        result = posix_fallocate(fd, 0, (off_t)size);
    return -result;
}

/* A file with holes: all its blocks now, or an error instead of a SIGBUS later. */
static int fill_holes(struct map *map, int fd)
{
    const int result = sys_madvise(map->header, map->size, MADV_POPULATE_WRITE);
    return result == -EINVAL ? reserve(fd, map->size) : result; /* EINVAL: an older kernel */
}

static int adopt(struct map *map, int fd, const struct stat *st)
{
    int result = map_memory(map, fd, hosts_in(st->st_size), MAP_SHARED);
    if (result != 0)
        return result;
    if (st->st_blocks < (st->st_size + 511) / 512)
        result = fill_holes(map, fd);
    if (result != 0)
        map_close(map);
    return result;
}

/* ---- creating ---- */

static int fill(struct map *map, int fd, uint32_t hosts)
{
    int result = sys_fchmod(fd, 0600); /* the umask may have taken bits */
    if (result == 0)
        result = reserve(fd, size_for(hosts));
    if (result == 0)
        result = map_memory(map, fd, hosts, MAP_SHARED);
    if (result == 0)
        header_write(map->header, hosts);
    return result;
}

static int create_from(struct map *map, struct draft *draft, const char *path, uint32_t hosts, bool over)
{
    int result = fill(map, draft->fd, hosts);
    if (result == 0)
        result = draft_publish(draft, path, over);
    if (result != 0)
        map_close(map);
    draft_close(draft);
    return result;
}

static int create(struct map *map, const char *path, uint32_t hosts, bool over)
{
    struct draft draft;
    int result = draft_open(&draft, path);
    if (result == 0)
        result = create_from(map, &draft, path, hosts, over);
    if (!draft_wants_a_name(result))
        return result;
    result = draft_open_named(&draft, path);
    return result == 0 ? create_from(map, &draft, path, hosts, over) : result;
}

/* ---- opening ---- */

/*
 * Looks at what was found at the place. Returns 0 when it can be mapped (*same_boot tells whether it
 * should), -EPERM for another's file or mode, -EBADMSG for other content, -EEXIST when it has just been
 * replaced, -EBUSY when it has a second name, as it may for a moment when it is born.
 */
static int inspect(int fd, bool group_shared, struct stat *st, bool *same_boot)
{
    unsigned char prefix[HEADER_PREFIX];
    const int result = sys_fstat(fd, st);
    if (result != 0)
        return result;
    if (!S_ISREG(st->st_mode))
        return -EPERM;
    const unsigned mode = st->st_mode & 07777;
    if (group_shared ? (mode & S_IWOTH) != 0 : mode != 0600 || st->st_uid != sys_geteuid())
        return -EPERM;
    if (st->st_nlink != 1)
        return st->st_nlink == 0 ? -EEXIST : -EBUSY;
    const uint32_t version = LAYOUT_VERSION;
    if (hosts_in(st->st_size) == 0 || sys_read(fd, prefix, sizeof prefix) != (long)sizeof prefix ||
        memcmp(prefix, LAYOUT_MAGIC, 8) != 0 ||
        memcmp(prefix + offsetof(struct layout_header, version), &version, sizeof version) != 0)
        return -EBADMSG;
    *same_boot = is_same_boot((const char *)prefix + offsetof(struct layout_header, boot_id));
    return 0;
}

static bool is_at(const char *path, const struct stat *st)
{
    struct stat now;
    return sys_stat_at(AT_FDCWD, path, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == st->st_dev &&
           now.st_ino == st->st_ino;
}

/* A new file would have neither the group nor the mode that the administrator chose: empty this one. */
static int renew_in_place(struct map *map, int fd, const struct stat *st)
{
    const int result = adopt(map, fd, st);
    if (result != 0)
        return result;
    _Atomic uint64_t *words = (_Atomic uint64_t *)(void *)map->header;
    for (size_t i = HEADER_PREFIX / sizeof *words; i < map->size / sizeof *words; i++)
        atomic_store_explicit(&words[i], 0, memory_order_relaxed);
    header_write(map->header, map->host_count); /* last; who sees it before the zeros loses some counts */
    return 0;
}

/* Returns -EEXIST when another process has renewed it meanwhile, -EBUSY while one is at it. */
static int renew(struct map *map, int fd, const struct stat *st, const char *path, uint32_t hosts)
{
    char theirs[sizeof((struct layout_header *)0)->boot_id];
    int result = sys_flock(fd, LOCK_EX | LOCK_NB);
    if (result != 0)
        return result == -EWOULDBLOCK ? -EBUSY : result;
    result = -EEXIST;
    if (is_at(path, st) &&
        sys_pread(fd, theirs, sizeof theirs, offsetof(struct layout_header, boot_id)) ==
            (long)sizeof theirs &&
        !is_same_boot(theirs)) {
        const bool is_ours_alone = st->st_uid == sys_geteuid() && (st->st_mode & 07777) == 0600;
        result = is_ours_alone ? create(map, path, hosts, true) : renew_in_place(map, fd, st);
    }
    sys_flock(fd, LOCK_UN); /* a child that another thread forks just now keeps the descriptor */
    return result;
}

static int open_once(struct map *map, const char *path, uint32_t hosts, bool group_shared,
                     enum map_access access)
{
    const int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd == -ENOENT && access == MAP_SHARE)
        return create(map, path, hosts, false);
    if (fd < 0)
        return fd;
    struct stat st;
    bool same_boot = false;
    int result = inspect(fd, group_shared, &st, &same_boot);
    if (result == 0 && same_boot)
        result = adopt(map, fd, &st);
    else if (result == 0)
        result = access == MAP_SHARE ? renew(map, fd, &st, path, hosts) : -ENOENT;
    sys_close(fd);
    return result;
}

static int open_shared(struct map *map, const char *path, uint32_t hosts, bool group_shared,
                       enum map_access access)
{
    int result = -EBUSY;
    for (int i = 0; i < TRIES && (result == -EBUSY || result == -EEXIST); i++) {
        if (i > 0 && result == -EBUSY)
            clock_sleep_ms(PAUSE_MS);
        result = open_once(map, path, hosts, group_shared, access);
    }
    return result == -EBUSY ? -EPERM : result;
}

int map_open(struct map *map, const char *path, uint32_t hosts, bool group_shared, enum map_access access)
{
    const int kept = errno;
    char place[PATH_ROOM];
    *map = (struct map){0};
    if (access == MAP_ALONE)
        return open_private(map, hosts_rounded(hosts), 0);
    int result = 0;
    if (!path || path[0] == '\0')
        result = map_default_path(place, sizeof place) > 0 ? 0 : -ENAMETOOLONG;
    else if (path[0] != '/')
        result = -EINVAL;
    else if (path_append(place, 0, sizeof place, path) >= sizeof place)
        result = -ENAMETOOLONG;
    if (!path || path[0] == '\0')
        group_shared = false; /* /dev/shm is everybody's: whoever came first would be believed */
    if (result == 0)
        result = open_shared(map, place, hosts_rounded(hosts), group_shared, access);
    if (result != 0 && access == MAP_SHARE)
        result = open_private(map, LAYOUT_HOSTS_MIN, result);
    errno = kept;
    return result;
}
