#include "sys/process.h"

#include <stdatomic.h>
#include <sys/stat.h>

#include "sys/generation.h"
#include "sys/raw.h"

enum {
    PATH_ROOM = 40,
    STAT_ROOM = 512,
    FIELD_STATE = 3,
    FIELD_THREADS = 20,
    FIELD_STARTED = 22,
    FIELD_STACK = 28
};

static char *put(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

/*
 * "/proc/PID/task/PID/stat", or of this process by the name of self. It says what /proc/PID/stat does; but
 * that one of its own is made up for an emulated program (qemu-user), and other processes would read another.
 */
static void name_stat(char path[PATH_ROOM], uint32_t pid, bool is_self)
{
    char digits[12], *first = digits + sizeof digits - 1;

    *first = '\0';
    for (uint32_t left = pid; left; left /= 10)
        *--first = (char)('0' + left % 10);
    char *at = put(put(path, "/proc/"), is_self ? "self" : first);
    *put(put(put(at, "/task/"), first), "/stat") = '\0';
}

static uint64_t number_at(const char *text)
{
    uint64_t number = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

/* The n-th field (from FIELD_STATE on) of a stat line: the name before it may hold blanks and brackets. */
static const char *field(const char *line, int wanted)
{
    const char *at = NULL;

    for (const char *c = line; *c; c++)
        if (*c == ')')
            at = c;
    for (int number = FIELD_STATE - 1; at && number < wanted; number++) {
        while (*at && *at != ' ')
            at++;
        at = *at ? at + 1 : NULL;
    }
    return at;
}

/* Reads the process's line; false where there is none to be had. */
static bool read_stat(uint32_t pid, bool is_self, char line[STAT_ROOM])
{
    char path[PATH_ROOM];

    name_stat(path, pid, is_self);
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    long got = sys_read(fd, line, STAT_ROOM - 1);
    sys_close(fd);
    line[got > 0 ? got : 0] = '\0';
    return got > 0 && field(line, FIELD_STARTED);
}

static uint64_t field_number(const char *line, int wanted)
{
    const char *text = field(line, wanted);
    return text ? number_at(text) : 0;
}

static uint64_t own_space(void)
{
    struct stat space;
    return sys_stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
}

/* Where /proc is another namespace's, its numbers are not ours, and it tells nothing. */
static struct process read_self(uint32_t pid)
{
    struct process self = {.pid = pid};
    char line[STAT_ROOM];

    if (read_stat(pid, true, line) && number_at(line) == pid) {
        self.started = field_number(line, FIELD_STARTED);
        self.stack = field_number(line, FIELD_STACK);
        self.space = own_space();
    }
    return self;
}

/*
 * Several threads may write it at once, all the same. A vfork child, which shares it, is known by its number:
 * that is taken away first and written last, and looked at again by who has read the rest.
 */
static struct {
    _Atomic uint64_t generation, pid, started, stack, space;
} known;

struct process process_self(void)
{
    uint64_t now = generation_now();
    uint32_t pid = (uint32_t)getpid();

    if (atomic_load_explicit(&known.generation, memory_order_acquire) == now &&
        atomic_load(&known.pid) == pid) {
        struct process self = {pid, atomic_load(&known.started), atomic_load(&known.stack),
                               atomic_load(&known.space)};
        if (atomic_load(&known.pid) == pid)
            return self;
    }
    struct process self = read_self(pid);
    atomic_store(&known.pid, 0);
    atomic_store(&known.started, self.started);
    atomic_store(&known.stack, self.stack);
    atomic_store(&known.space, self.space);
    atomic_store(&known.pid, pid);
    atomic_store_explicit(&known.generation, now, memory_order_release);
    return self;
}

/* Its first thread may have left the others alone (pthread_exit in main): until they end it is a zombie. */
static bool has_ended(const char *line)
{
    char state = *field(line, FIELD_STATE);
    return (state == 'Z' || state == 'X') && number_at(field(line, FIELD_THREADS)) <= 1;
}

bool process_runs(uint32_t pid, struct process *found)
{
    char line[STAT_ROOM];

    *found = (struct process){.pid = pid};
    if (sys_is_no_process((int)pid))
        return false;
    if (!read_stat(pid, pid == (uint32_t)getpid(), line))
        return !sys_is_no_process((int)pid); /* it may have gone meanwhile */
    if (number_at(line) != pid)
        return true;
    found->started = field_number(line, FIELD_STARTED);
    found->stack = field_number(line, FIELD_STACK);
    return !has_ended(line);
}
