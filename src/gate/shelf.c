#include "gate/shelf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/value.h"
#include "gate/ready.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/raw.h"

enum { READS_MOST = 1000, DRAFT_AGE_S = 3600 };

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
    return error < 0 ? error : read_key(shelf);
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

struct sweep {
    uint64_t bytes;    /* of all */
    int64_t oldest_ns; /* its time, and its name */
    char oldest[SHELF_DRAFT_ROOM];
};

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
    int64_t ns = (int64_t)file.st_mtim.tv_sec * 1000000000 + file.st_mtim.tv_nsec;
    if (strlen(name) < sizeof sweep->oldest && ns <= sweep->oldest_ns) {
        sweep->oldest_ns = ns;
        memcpy(sweep->oldest, name, strlen(name) + 1);
    }
}

/* The folder gone through once; false when it could not be. */
static bool look(struct sweep *sweep, const struct shelf *shelf, uint32_t age_most_s)
{
    _Alignas(struct sys_entry) char room[4096];
    int folder = open_folder(shelf->path);
    long size;

    *sweep = (struct sweep){.oldest_ns = INT64_MAX};
    if (folder < 0)
        return false;
    for (int i = 0; i < READS_MOST && (size = sys_read_folder(folder, room, sizeof room)) > 0; i++)
        for (long at = 0; at < size; at += ((struct sys_entry *)(void *)(room + at))->size)
            look_at(sweep, folder, ((struct sys_entry *)(void *)(room + at))->name, age_most_s);
    sys_close(folder);
    return true;
}

static void sweep_out(const struct shelf *shelf, uint64_t most, uint32_t age_s)
{
    struct sweep sweep;

    while (look(&sweep, shelf, age_s) && sweep.bytes > most && sweep.oldest[0])
        if (sys_unlink_at(shelf->folder, sweep.oldest) < 0)
            break;
}

int shelf_keep(const struct shelf *shelf, const char *draft, const char *name, uint64_t most, uint32_t age_s)
{
    int error = sys_rename_at(shelf->folder, draft, name);

    if (error < 0)
        shelf_drop(shelf, draft);
    sweep_out(shelf, most, age_s);
    return error;
}

void shelf_drop(const struct shelf *shelf, const char *draft)
{
    sys_unlink_at(shelf->folder, draft);
}
