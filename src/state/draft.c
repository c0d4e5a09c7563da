#include "state/draft.h"

#include <string.h>

#include "sys/random.h"
#include "sys/raw.h"

/* "PATH.new-0123456789abcdef", beside the place, so that it can be renamed to it. */
static int make_name(struct draft *draft, const char *path)
{
    size_t length = path_append(draft->name, 0, sizeof draft->name, path);
    length = path_append(draft->name, length, sizeof draft->name, ".new-");
    length = path_append_number(draft->name, length, sizeof draft->name, random_word(), 16);
    if (length < sizeof draft->name)
        return 0;
    draft->name[0] = '\0';
    return -ENAMETOOLONG;
}

int draft_open(struct draft *draft, const char *path)
{
    char folder[PATH_ROOM];
    const size_t length = (size_t)(strrchr(path, '/') - path);
    memcpy(folder, path, length);
    folder[length] = '\0';
    draft->name[0] = '\0';
    draft->fd = sys_openat(AT_FDCWD, length > 0 ? folder : "/", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return draft->fd < 0 ? draft->fd : 0;
}

int draft_open_named(struct draft *draft, const char *path)
{
    const int result = make_name(draft, path);
    if (result != 0)
        return result;
    draft->fd = sys_openat(AT_FDCWD, draft->name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (draft->fd < 0)
        draft->name[0] = '\0';
    return draft->fd < 0 ? draft->fd : 0;
}

void draft_close(struct draft *draft)
{
    sys_close(draft->fd);
    if (draft->name[0] != '\0')
        sys_unlink(draft->name);
}

/* Gives a nameless file a name. Of the thread, not the process: threads may have tables of their own. */
static int link_nameless(int fd, const char *name)
{
    char magic_link[48];
    const size_t length = path_append(magic_link, 0, sizeof magic_link, "/proc/thread-self/fd/");
    path_append_number(magic_link, length, sizeof magic_link, (unsigned)fd, 10);
    return sys_link(magic_link, name, AT_SYMLINK_FOLLOW);
}

static int publish_over(struct draft *draft, const char *path)
{
    if (draft->name[0] == '\0') {
        int result = make_name(draft, path);
        if (result == 0 && (result = link_nameless(draft->fd, draft->name)) != 0)
            draft->name[0] = '\0';
        if (result != 0)
            return result;
    }
    const int result = sys_rename(draft->name, path);
    if (result == 0)
        draft->name[0] = '\0';
    return result;
}

static int publish_new(struct draft *draft, const char *path)
{
    if (draft->name[0] == '\0')
        return link_nameless(draft->fd, path);
    const int result = sys_rename_new(draft->name, path);
    if (result == 0)
        draft->name[0] = '\0';
    if (result != -EINVAL && result != -ENOSYS)
        return result;
    /* Two names for a moment; who opens it then sees two links and tries again. */
    return sys_link(draft->name, path, 0);
}

int draft_publish(struct draft *draft, const char *path, bool over)
{
    return over ? publish_over(draft, path) : publish_new(draft, path);
}

bool draft_wants_a_name(int result)
{
    return result == -EOPNOTSUPP || result == -EISDIR || result == -EINVAL || result == -ENOENT;
}
