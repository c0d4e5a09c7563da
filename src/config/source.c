#include "config/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config/value.h"
#include "sys/raw.h"

static bool is_said(const char *text)
{
    return text && text[0];
}

/* Returns 0, or -ENAMETOOLONG when the parts filled the room. */
static int join(char *out, const char *folder, const char *slash, const char *rest)
{
    struct value_text path = {out, SOURCE_PATH_MOST, 0};
    value_put(&path, folder);
    value_put(&path, slash);
    value_put(&path, rest);
    return path.length == SOURCE_PATH_MOST - 1 ? -ENAMETOOLONG : 0;
}

static int make_absolute(char *out, const char *path)
{
    char folder[SOURCE_PATH_MOST];
    if (path[0] == '/')
        return join(out, path, "", "");
    long length = sys_getcwd(folder, sizeof folder);
    if (length < 0)
        return (int)length;
    return folder[0] == '/' ? join(out, folder, "/", path) : -ENOENT;
}

struct source_paths *source_paths_open(void)
{
    void *paths =
        mmap(NULL, sizeof(struct source_paths), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return paths == MAP_FAILED ? NULL : paths;
}

void source_paths_close(struct source_paths *paths)
{
    munmap(paths, sizeof *paths);
}

int source_find(const struct source_request *request, struct source_paths *paths)
{
    int result = join(paths->system, is_said(request->system) ? request->system : SOURCE_SYSTEM_PATH, "", "");
    paths->named[0] = paths->user[0] = 0;
    if (result == 0 && is_said(request->named))
        return make_absolute(paths->named, request->named);
    /* The XDG specification wants relative values ignored; the working directory is never looked at. */
    if (result == 0 && is_said(request->xdg) && request->xdg[0] == '/')
        return join(paths->user, request->xdg, "/", "gusset/gusset.cfg");
    if (result == 0 && is_said(request->home) && request->home[0] == '/')
        return join(paths->user, request->home, "/", ".config/gusset/gusset.cfg");
    return result;
}

static void identify(const struct stat *file, struct source_identity *identity)
{
    *identity = (struct source_identity){
        .device = (uint64_t)file->st_dev,
        .inode = (uint64_t)file->st_ino,
        .size = (uint64_t)file->st_size,
        .mtime_ns = (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec,
        .ctime_ns = (int64_t)file->st_ctim.tv_sec * 1000000000 + file->st_ctim.tv_nsec,
    };
}

void source_identify(const char *path, struct source_identity *identity)
{
    struct stat file;
    if (sys_stat(path, &file) == 0)
        identify(&file, identity);
    else
        memset(identity, 0, sizeof *identity);
}

bool source_is_same(const struct source_identity *a, const struct source_identity *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool is_trusted_owner(const struct stat *file)
{
    return file->st_uid == 0 || file->st_uid == sys_geteuid();
}

/* What makes a folder unfit, or NULL. */
static const char *folder_complaint(const char *path)
{
    char folder[SOURCE_PATH_MOST];
    struct stat found;
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : (size_t)(slash - path);

    memcpy(folder, path, length);
    folder[length] = 0;
    if (sys_stat(folder, &found) < 0)
        return "its folder cannot be read";
    if (!is_trusted_owner(&found))
        return "its folder belongs to another user";
    /* In a sticky folder (/tmp) others may add files but not replace ours, and ours is known by its owner. */
    if (found.st_mode & (S_IWGRP | S_IWOTH) && !(found.st_mode & S_ISVTX))
        return "its folder is writable by others (chmod go-w)";
    return NULL;
}

static const char *file_complaint(const struct stat *file, const char *path)
{
    if (!S_ISREG(file->st_mode))
        return "not a regular file";
    if (!is_trusted_owner(file))
        return "belongs to another user";
    if (file->st_mode & (S_IWGRP | S_IWOTH))
        return "writable by others (chmod go-w)";
    if (file->st_size > SOURCE_SIZE_MOST)
        return "larger than 16 MiB";
    const char *complaint = folder_complaint(path);
    if (complaint)
        return complaint;
    char *real = realpath(path, NULL); /* the folder that a link leads to counts as well */
    if (!real)
        return "its path cannot be resolved";
    complaint = folder_complaint(real);
    free(real);
    return complaint;
}

/* Reads until the end or size; the file may shrink or grow meanwhile. Returns bytes or -errno. */
static long read_whole(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        long got = sys_read(fd, buffer + length, size - length);
        if (got == -EINTR)
            continue;
        if (got < 0)
            return got;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (long)length;
}

static uint32_t line_of(const char *text, const char *at)
{
    uint32_t line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static int take_text(int fd, const char *path, const struct stat *file, struct source_text *out,
                     struct fault_list *faults)
{
    size_t size = (size_t)file->st_size;
    out->text = malloc(size + 1);
    if (!out->text) {
        fault_add(faults, path, 0, "out of memory");
        return -ENOMEM;
    }
    long length = read_whole(fd, out->text, size);
    if (length < 0) {
        fault_add(faults, path, 0, "cannot be read: %s", strerror((int)-length));
        return (int)length;
    }
    out->length = (size_t)length;
    out->text[length] = 0;
    const char *nul = memchr(out->text, 0, out->length);
    if (nul) {
        fault_add(faults, path, line_of(out->text, nul), "holds a NUL byte; expected text");
        return -EINVAL;
    }
    return 0;
}

int source_read(const char *path, struct source_text *out, struct fault_list *faults, const char *file,
                uint32_t line)
{
    struct stat found;
    *out = (struct source_text){0};

    /* O_NONBLOCK: opening a fifo must not wait for a writer. */
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    const char *subject = line > 0 ? path : "", *colon = line > 0 ? ": " : "";
    if (fd < 0) {
        fault_add(faults, file, line, "%s%scannot be opened: %s", subject, colon, strerror(-fd));
        return fd;
    }
    const char *complaint = sys_fstat(fd, &found) < 0 ? "cannot be examined" : file_complaint(&found, path);
    int result = complaint ? -EPERM : 0;
    if (complaint)
        fault_add(faults, file, line, "%s%s%s", subject, colon, complaint);
    else
        result = take_text(fd, path, &found, out, faults);
    sys_close(fd);
    if (result < 0) {
        source_clear(out);
        return result;
    }
    identify(&found, &out->identity);
    return 0;
}

void source_clear(struct source_text *text)
{
    free(text->text);
    *text = (struct source_text){0};
}
