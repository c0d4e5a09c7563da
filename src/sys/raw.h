/*
 * What the kernel is asked, past libc. Gusset stands in front of close, connect, poll and others itself and
 * must not meet its own hooks; and each function of libc that the library names costs every program's start
 * a look-up by the loader, whether it is called or not. These calls are no cancellation points.
 *
 * Each returns what the kernel does, a result or -errno, and leaves errno alone. Structs are the kernel's,
 * which are libc's on the two machines that sys/trap_ARCH.h is written for.
 */
#ifndef GUSSET_SYS_RAW_H
#define GUSSET_SYS_RAW_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include "sys/trap_x86_64.h"
#elif defined(__aarch64__)
#include "sys/trap_aarch64.h"
#else
#error "write sys/trap_ARCH.h: a system call of six arguments"
#endif

static inline long sys_call(long number, long first, long second, long third)
{
    return sys_trap(number, first, second, third, 0, 0, 0);
}

static inline long sys_call_4(long number, long first, long second, long third, long fourth)
{
    return sys_trap(number, first, second, third, fourth, 0, 0);
}

static inline long sys_call_5(long number, long first, long second, long third, long fourth, long fifth)
{
    return sys_trap(number, first, second, third, fourth, fifth, 0);
}

/* ---- files ---- */

static inline int sys_openat(int folder, const char *path, int flags, unsigned mode)
{
    return (int)sys_call_4(SYS_openat, folder, (long)path, flags | O_LARGEFILE, mode);
}

static inline int sys_close(int fd)
{
    return (int)sys_call(SYS_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    return sys_call(SYS_read, fd, (long)buffer, (long)size);
}

static inline long sys_pread(int fd, void *buffer, size_t size, int64_t offset)
{
    return sys_call_4(SYS_pread64, fd, (long)buffer, (long)size, offset);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
    return sys_call(SYS_write, fd, (long)data, (long)size);
}

static inline int sys_fstat(int fd, struct stat *found)
{
    return (int)sys_call(SYS_fstat, fd, (long)found, 0);
}

/* flags: 0 or AT_SYMLINK_NOFOLLOW. */
static inline int sys_stat_at(int folder, const char *path, struct stat *found, int flags)
{
    return (int)sys_call_4(SYS_newfstatat, folder, (long)path, (long)found, flags);
}

static inline int sys_stat(const char *path, struct stat *found)
{
    return sys_stat_at(AT_FDCWD, path, found, 0);
}

static inline int sys_fchmod(int fd, unsigned mode)
{
    return (int)sys_call(SYS_fchmod, fd, mode, 0);
}

static inline int sys_mkdir(const char *path, unsigned mode)
{
    return (int)sys_call(SYS_mkdirat, AT_FDCWD, (long)path, mode);
}

/* Within a folder. */
static inline int sys_rename_at(int folder, const char *from, const char *to)
{
    return (int)sys_call_4(SYS_renameat, folder, (long)from, folder, (long)to);
}

/* operation: LOCK_… of flock(2). */
static inline int sys_flock(int fd, int operation)
{
    return (int)sys_call(SYS_flock, fd, operation, 0);
}

/* flags: 0 or AT_SYMLINK_FOLLOW. */
static inline int sys_link(const char *from, const char *to, int flags)
{
    return (int)sys_call_5(SYS_linkat, AT_FDCWD, (long)from, AT_FDCWD, (long)to, flags);
}

static inline int sys_rename(const char *from, const char *to)
{
    return (int)sys_call_4(SYS_renameat, AT_FDCWD, (long)from, AT_FDCWD, (long)to);
}

/* Renames unless the new name exists (-EEXIST); -EINVAL or -ENOSYS where it is not to be had. */
static inline int sys_rename_new(const char *from, const char *to)
{
    return (int)sys_call_5(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD, (long)to, 1 /* RENAME_NOREPLACE */);
}

static inline int sys_unlink_at(int folder, const char *path)
{
    return (int)sys_call(SYS_unlinkat, folder, (long)path, 0);
}

static inline int sys_unlink(const char *path)
{
    return sys_unlink_at(AT_FDCWD, path);
}

/* An entry of a folder, as getdents64(2) gives it. */
struct sys_entry {
    uint64_t inode;
    int64_t next;
    uint16_t size; /* of the entry: the next one begins behind it */
    uint8_t type;
    char name[];
};

/* Entries one after another, in an aligned buffer; how many bytes of them, 0 at the end. */
static inline long sys_read_folder(int fd, void *buffer, size_t size)
{
    return sys_call(SYS_getdents64, fd, (long)buffer, (long)size);
}

/* Its length, the NUL included; a folder that cannot be reached from the root begins without a slash. */
static inline long sys_getcwd(char *path, size_t size)
{
    return sys_call(SYS_getcwd, (long)path, (long)size, 0);
}

/* The greatest size that a file may grow to, bytes; UINT64_MAX: any. */
static inline uint64_t sys_file_size_limit(void)
{
    struct rlimit limit;
    bool is_told = sys_call_4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit) == 0;
    return is_told ? limit.rlim_cur : UINT64_MAX;
}

static inline int sys_close_on_exec(int fd)
{
    return (int)sys_call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

static inline int sys_fcntl_flags(int fd)
{
    return (int)sys_call(SYS_fcntl, fd, F_GETFL, 0);
}

/* ---- sockets ---- */

static inline int sys_socket(int family, int type, int protocol)
{
    return (int)sys_call(SYS_socket, family, type, protocol);
}

/* Two connected ends of a byte stream, closed on exec. */
static inline int sys_socketpair(int ends[2])
{
    return (int)sys_call_4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (long)ends);
}

static inline int sys_shutdown(int fd, int how)
{
    return (int)sys_call(SYS_shutdown, fd, how, 0);
}

/* Neither waits; sending to an end that has gone raises no signal. */
static inline long sys_send(int fd, const void *data, size_t size)
{
    return sys_call_4(SYS_sendto, fd, (long)data, (long)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static inline long sys_receive(int fd, void *buffer, size_t size)
{
    return sys_call_4(SYS_recvfrom, fd, (long)buffer, (long)size, MSG_DONTWAIT);
}

static inline long sys_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return sys_call(SYS_sendmsg, fd, (long)message, flags);
}

static inline int sys_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    return (int)sys_call(SYS_connect, fd, (long)to, length);
}

static inline int sys_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    return (int)sys_call_5(SYS_getsockopt, fd, level, option, (long)value, (long)length);
}

static inline int sys_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    return (int)sys_call_5(SYS_setsockopt, fd, level, option, (long)value, length);
}

static inline int sys_getsockname(int fd, struct sockaddr *name, socklen_t *length)
{
    return (int)sys_call(SYS_getsockname, fd, (long)name, (long)length);
}

/* ---- time ---- */

struct sys_time {
    int64_t seconds;
    int64_t nanoseconds;
};

/* Waits for a descriptor; -EINTR when a signal comes first, 0 when the time is over. */
static inline int sys_poll_one(struct pollfd *one, const struct sys_time *patience)
{
    struct sys_time left = *patience; /* the kernel writes what is left of it */
    return (int)sys_call_5(SYS_ppoll, (long)one, 1, (long)&left, 0, 0);
}

/* What holds of the descriptors now; never waits. */
static inline int sys_poll_now(struct pollfd *fds, unsigned count)
{
    struct sys_time none = {0, 0};
    return (int)sys_call_5(SYS_ppoll, (long)fds, count, (long)&none, 0, 0);
}

/* A sleep on the monotonic clock; -EINTR when a signal ends it early. */
static inline int sys_sleep(const struct sys_time *duration)
{
    return (int)sys_call_4(SYS_clock_nanosleep, 1 /* CLOCK_MONOTONIC */, 0, (long)duration, 0);
}

struct sys_timer_value {
    struct sys_time interval;
    struct sys_time left;
};

/* A timer of the monotonic clock that select() can wait for, closed on exec. */
static inline int sys_timerfd_create(void)
{
    return (int)sys_call(SYS_timerfd_create, 1 /* CLOCK_MONOTONIC */, O_CLOEXEC | O_NONBLOCK, 0);
}

/* Sets it to a moment; 0 stops it. */
static inline int sys_timerfd_settime(int fd, uint64_t moment_us)
{
    struct sys_timer_value value = {
        .left = {(int64_t)(moment_us / 1000000), (int64_t)(moment_us % 1000000) * 1000}
    };
    return (int)sys_call_4(SYS_timerfd_settime, fd, 1 /* TFD_TIMER_ABSTIME */, (long)&value, 0);
}

/* -EBADF or -EINVAL when the descriptor is no such timer. */
static inline int sys_timerfd_gettime(int fd, struct sys_timer_value *value)
{
    return (int)sys_call(SYS_timerfd_gettime, fd, (long)value, 0);
}

/* ---- signals: a set is a word ---- */

static inline uint64_t sys_signal(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

/* The calling thread's mask. how: SIG_BLOCK or SIG_SETMASK; before may be NULL. */
static inline int sys_mask_signals(int how, uint64_t set, uint64_t *before)
{
    return (int)sys_call_4(SYS_rt_sigprocmask, how, (long)&set, (long)before, sizeof set);
}

/* The blocked signals that wait for this thread or for the process. */
static inline uint64_t sys_pending_signals(void)
{
    uint64_t set = 0;
    sys_call(SYS_rt_sigpending, (long)&set, sizeof set, 0);
    return set;
}

/* Takes a pending, blocked signal of the set, the thread's own before the process's. -EAGAIN: none. */
static inline int sys_take_signal(uint64_t set)
{
    struct sys_time none = {0, 0};
    return (int)sys_call_4(SYS_rt_sigtimedwait, (long)&set, 0, (long)&none, sizeof set);
}

/* ---- memory, the process, chance ---- */

/*
 * Whether eight bytes lie there to be read: the kernel copies the set before it finds that no such change of
 * a signal mask exists. (The cheapest question of its kind, and one that every sandbox allows.)
 */
static inline bool sys_can_read_8(const void *at)
{
    return sys_call_4(SYS_rt_sigprocmask, -1, (long)at, 0, sizeof(uint64_t)) != -EFAULT;
}

/* Whether there is no process of this number; one that may not be signalled is there. */
static inline bool sys_is_no_process(int pid)
{
    return sys_call(SYS_kill, pid, 0, 0) == -ESRCH;
}

static inline int sys_madvise(void *memory, size_t size, int advice)
{
    return (int)sys_call(SYS_madvise, (long)memory, (long)size, advice);
}

static inline int sys_mprotect(void *memory, size_t size, int protection)
{
    return (int)sys_call(SYS_mprotect, (long)memory, (long)size, protection);
}

static inline int sys_getpid(void)
{
    return (int)sys_call(SYS_getpid, 0, 0, 0);
}

/* The calling thread's; no other of its pid namespace has it, be it a process's. */
static inline int sys_gettid(void)
{
    return (int)sys_call(SYS_gettid, 0, 0, 0);
}

static inline unsigned sys_geteuid(void)
{
    return (unsigned)sys_call(SYS_geteuid, 0, 0, 0);
}

/* Random bytes without waiting for the pool to fill; -EAGAIN early after boot. */
static inline long sys_getrandom(void *buffer, size_t size)
{
    return sys_call(SYS_getrandom, (long)buffer, (long)size, 1 /* GRND_NONBLOCK */);
}

#endif
