#include "gate/shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/value.h"
#include "gate/ready.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/raw.h"

enum {
    READS_MOST = 1000,
    DRAFT_AGE_S = 3600,
    FILES_MOST = 4096, /* each is looked at in a sweep */
    SPARE = 64,        /* a sweep is due when about a 64th of what there may be has come */
    OLDEST = 32,       /* are removed at a time */
    LOOKS_MOST = 200   /* in one sweep: the next one goes on */
};

static const char key_name[] = "key", draft_mark[] = "draft-";

/* STATE.stale-UID: several users may share a state. */
static int find_path(struct shelf *shelf, const struct ready *ready)
{
    struct value_text out = {shelf->path, sizeof shelf->path, 0};
    char own[SHELF_PATH_ROOM];
    const char *state = getenv("GUSSET_STATE");

    if (!state || !*state)
        state = ready->globals->state_path;
    if (!*state)
        state = map_default_path(own, sizeof own) ? own : "";
    value_put(&out, state);
    value_put(&out, ".stale-");
    value_put_decimal(&out, (uint64_t)sys_geteuid(), 0, 0);
    return state[0] == '/' && out.length + 1 < out.size ? 0 : -ENAMETOOLONG;
}

static bool is_ours(const struct stat *file, mode_t kind)
{
    return (file->st_mode & S_IFMT) == kind && file->st_uid == sys_geteuid() && !(file->st_mode & 077);
}

/* The file, if it is ours alone. */
static int checked(int file, mode_t kind)
{
    struct stat found;

    if (file < 0 || (sys_fstat(file, &found) == 0 && is_ours(&found, kind)))
        return file;
    sys_close(file);
    return -EPERM;
}

static int open_folder(const char *path)
{
    return checked(sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), S_IFDIR);
}

static int read_key(struct shelf *shelf)
{
    int file = shelf_find(shelf, key_name);

    if (file < 0)
        return file;
    long size = sys_read(file, shelf->key, sizeof shelf->key);
    sys_close(file);
    return size == sizeof shelf->key ? 0 : -EBADMSG;
}

/* Of two that make it at once the later one's holds: what was kept under the other is not found, and swept.
 */
static int make_key(struct shelf *shelf)
{
    char draft[SHELF_DRAFT_ROOM];
    int file = shelf_draft(shelf, draft);

    if (file < 0)
        return file;
    long size = sys_getrandom(shelf->key, sizeof shelf->key);
    if (size == sizeof shelf->key)
        size = sys_write(file, shelf->key, sizeof shelf->key);
    sys_close(file);
    if (size != sizeof shelf->key) {
        shelf_drop(shelf, draft);
        return -EIO;
    }
    int error = sys_rename_at(shelf->folder, draft, key_name);
    if (error < 0) {
        shelf_drop(shelf, draft);
        return error;
    }
    return read_key(shelf);
}

int shelf_open(struct shelf *shelf, const struct ready *ready, bool may_make)
{
    int error = find_path(shelf, ready);

    if (error < 0)
        return error;
    shelf->folder = open_folder(shelf->path);
    if (shelf->folder == -ENOENT && may_make) {
        sys_mkdir(shelf->path, 0700);
        shelf->folder = open_folder(shelf->path);
    }
    if (shelf->folder < 0)
        return shelf->folder;
    error = read_key(shelf);
    if (error < 0 && may_make)
        error = make_key(shelf);
    if (error < 0)
        shelf_close(shelf);
    return error;
}

void shelf_close(struct shelf *shelf)
{
    sys_close(shelf->folder);
}

int shelf_find(const struct shelf *shelf, const char *name)
{
    return checked(sys_openat(shelf->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0),
                   S_IFREG);
}

int shelf_draft(const struct shelf *shelf, char draft[SHELF_DRAFT_ROOM])
{
    struct value_text out = {draft, SHELF_DRAFT_ROOM, 0};

    value_put(&out, draft_mark);
    value_put_hex(&out, random_word());
    return sys_openat(shelf->folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* ---- sweeping ---- */

struct found {
    int64_t ns;
    uint64_t bytes;
    char name[SHELF_DRAFT_ROOM];
};

struct sweep {
    uint64_t bytes; /* of all */
    uint32_t files;
    uint32_t count; /* of the oldest, which are in order */
    struct found oldest[OLDEST];
};

static void remember(struct sweep *sweep, const char *name, const struct stat *file)
{
    struct found new = {.ns = (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec,
                        .bytes = (uint64_t)file->st_size};
    size_t length = strlen(name);
    uint32_t at = sweep->count;

    while (at > 0 && sweep->oldest[at - 1].ns > new.ns)
        at--;
    if (at == OLDEST || length >= sizeof new.name)
        return;
    memcpy(new.name, name, length + 1);
    if (sweep->count < OLDEST)
        sweep->count++;
    memmove(&sweep->oldest[at + 1], &sweep->oldest[at], (sweep->count - 1 - at) * sizeof new);
    sweep->oldest[at] = new;
}

static bool is_over(const char *name, int64_t age_s, uint32_t age_most_s)
{
    return strncmp(name, draft_mark, sizeof draft_mark - 1) == 0 ? age_s > DRAFT_AGE_S : age_s > age_most_s;
}

static void look_at(struct sweep *sweep, int folder, const char *name, uint32_t age_most_s)
{
    struct stat file;
    int64_t now_s = (int64_t)(clock_unix_ms() / 1000);

    if (strcmp(name, key_name) == 0 || sys_stat_at(folder, name, &file, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(file.st_mode))
        return;
    if (is_over(name, now_s - (int64_t)file.st_mtime, age_most_s)) {
        sys_unlink_at(folder, name);
        return;
    }
    sweep->bytes += (uint64_t)file.st_size;
    sweep->files++;
    remember(sweep, name, &file);
}

/* The folder gone through once; false when it could not be. */
static bool look(struct sweep *sweep, const struct shelf *shelf, uint32_t age_most_s)
{
    _Alignas(struct sys_entry) char room[4096];
    int folder = open_folder(shelf->path);
    long size;

    sweep->bytes = sweep->files = sweep->count = 0;
    if (folder < 0)
        return false;
    for (int i = 0; i < READS_MOST && (size = sys_read_folder(folder, room, sizeof room)) > 0; i++)
        for (long at = 0; at < size; at += ((struct sys_entry *)(void *)(room + at))->size)
            look_at(sweep, folder, ((struct sys_entry *)(void *)(room + at))->name, age_most_s);
    sys_close(folder);
    return true;
}

static bool is_too_much(const struct sweep *sweep, uint64_t most)
{
    return sweep->bytes > most || sweep->files > FILES_MOST;
}

static void sweep_out(const struct shelf *shelf, uint64_t most, uint32_t age_s)
{
    struct sweep sweep;

    for (int i = 0; i < LOOKS_MOST && look(&sweep, shelf, age_s) && is_too_much(&sweep, most); i++)
        for (uint32_t at = 0; at < sweep.count && is_too_much(&sweep, most); at++) {
            int error = sys_unlink_at(shelf->folder, sweep.oldest[at].name);
            if (error < 0 && error != -ENOENT) /* another process may have been quicker */
                return;
            sweep.bytes -= sweep.oldest[at].bytes;
            sweep.files--;
        }
}

/* To go through all of it for each reply would cost more than the request. */
static bool is_due(uint64_t size, uint64_t most)
{
    return random_32() % SPARE <= size * SPARE * SPARE / most;
}

int shelf_keep(const struct shelf *shelf, const char *draft, const char *name, uint64_t size, uint64_t most,
               uint32_t age_s)
{
    int error = sys_rename_at(shelf->folder, draft, name);

    if (error < 0)
        shelf_drop(shelf, draft);
    if (is_due(size, most))
        sweep_out(shelf, most, age_s);
    return error;
}

void shelf_drop(const struct shelf *shelf, const char *draft)
{
    sys_unlink_at(shelf->folder, draft);
}
