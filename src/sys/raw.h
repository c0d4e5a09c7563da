/*
 * System calls made past libc's names: gusset stands in front of close, connect, poll and others itself
 * and must not meet its own hooks. They are no cancellation points either. Each returns what the kernel
 * does, a result or -errno, and leaves errno alone.
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the kernel takes for a time since 5.1 where time was 32 bits wide, and always took elsewhere. */
struct sys_time {
    int64_t seconds;
    int64_t nanoseconds;
};

#ifdef SYS_clock_nanosleep_time64
#define SYS_SLEEP SYS_clock_nanosleep_time64
#else
#define SYS_SLEEP SYS_clock_nanosleep
#endif

static inline long sys_settle(long result, int kept)
{
    if (result < 0) {
        result = -errno;
        errno = kept;
    }
    return result;
}

static inline int sys_openat(int folder, const char *path, int flags, unsigned mode)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode), kept);
}

static inline int sys_mkdirat(int folder, const char *path, unsigned mode)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_mkdirat, folder, path, mode), kept);
}

static inline int sys_unlinkat(int folder, const char *path)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_unlinkat, folder, path, 0), kept);
}

static inline int sys_renameat(int from, const char *path, int to, const char *name)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_renameat2, from, path, to, name, 0), kept);
}

static inline int sys_close(int fd)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_close, fd), kept);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_read, fd, buffer, size), kept);
}

static inline long sys_read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_pread64, fd, buffer, size, (long)offset), kept);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_write, fd, data, size), kept);
}

static inline int sys_socket(int family, int type, int protocol)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_socket, family, type, protocol), kept);
}

/* Two connected ends of a byte stream, closed on exec. */
static inline int sys_socketpair(int ends[2])
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), kept);
}

static inline int sys_shutdown(int fd, int how)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_shutdown, fd, how), kept);
}

/* Neither waits; sending to an end that has gone raises no signal. */
static inline long sys_send(int fd, const void *data, size_t size)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_sendto, fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0), kept);
}

static inline long sys_receive(int fd, void *buffer, size_t size)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_recvfrom, fd, buffer, size, MSG_DONTWAIT, NULL, NULL), kept);
}

static inline long sys_sendmsg(int fd, const struct msghdr *message, int flags)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_sendmsg, fd, message, flags), kept);
}

static inline int sys_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_connect, fd, to, length), kept);
}

static inline int sys_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_getsockopt, fd, level, option, value, length), kept);
}

static inline int sys_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_setsockopt, fd, level, option, value, length), kept);
}

static inline int sys_getsockname(int fd, struct sockaddr *name, socklen_t *length)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_getsockname, fd, name, length), kept);
}

static inline int sys_fcntl_flags(int fd)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_fcntl, fd, F_GETFL, 0), kept);
}

/*
 * Whether eight bytes lie there to be read: the kernel copies the set before it finds that no such change of
 * a signal mask exists. (The cheapest question of its kind, and one that every sandbox allows.)
 */
static inline bool sys_can_read_8(const void *at)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_rt_sigprocmask, -1, at, NULL, (size_t)(_NSIG / 8)), kept) != -EFAULT;
}

/* Waits for a descriptor; -EINTR when a signal comes first, 0 when the time is over. */
static inline int sys_poll_one(struct pollfd *one, const struct sys_time *patience)
{
    const int kept = errno;
    struct sys_time left = *patience; /* the kernel writes what is left of it */
    return (int)sys_settle(syscall(SYS_ppoll, one, 1, &left, NULL, 0), kept);
}

/* What holds of the descriptors now; never waits. (Zero is zero in either width of time.) */
static inline int sys_poll_now(struct pollfd *fds, unsigned count)
{
    const int kept = errno;
    struct sys_time none = {0, 0};
    return (int)sys_settle(syscall(SYS_ppoll, fds, count, &none, NULL, 0), kept);
}

/* Takes a pending, blocked signal of the set, the thread's own before the process's. -EAGAIN: none. */
static inline int sys_take_signal(const sigset_t *set)
{
    const int kept = errno;
    struct sys_time none = {0, 0};
    return (int)sys_settle(syscall(SYS_rt_sigtimedwait, set, NULL, &none, (size_t)(_NSIG / 8)), kept);
}

/* A sleep on the monotonic clock; -EINTR when a signal ends it early. */
static inline int sys_sleep(const struct sys_time *duration)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_SLEEP, 1 /* CLOCK_MONOTONIC */, 0, duration, NULL), kept);
}

struct sys_timer_value {
    struct sys_time interval;
    struct sys_time left;
};

#ifdef SYS_timerfd_settime64
#define SYS_TIMERFD_SETTIME SYS_timerfd_settime64
#define SYS_TIMERFD_GETTIME SYS_timerfd_gettime64
#else
#define SYS_TIMERFD_SETTIME SYS_timerfd_settime
#define SYS_TIMERFD_GETTIME SYS_timerfd_gettime
#endif

/* A timer of the monotonic clock that select() can wait for, closed on exec. */
static inline int sys_timerfd_create(void)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_timerfd_create, 1 /* CLOCK_MONOTONIC */, O_CLOEXEC | O_NONBLOCK),
                           kept);
}

/* Sets it to a moment; 0 stops it. */
static inline int sys_timerfd_settime(int fd, uint64_t moment_us)
{
    const int kept = errno;
    struct sys_timer_value value = {
        .left = {(int64_t)(moment_us / 1000000), (int64_t)(moment_us % 1000000) * 1000}
    };
    return (int)sys_settle(syscall(SYS_TIMERFD_SETTIME, fd, 1 /* TFD_TIMER_ABSTIME */, &value, NULL), kept);
}

/* -EBADF or -EINVAL when the descriptor is no such timer. */
static inline int sys_timerfd_gettime(int fd, struct sys_timer_value *value)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_TIMERFD_GETTIME, fd, value), kept);
}

/* Random bytes without waiting for the pool to fill; -EAGAIN early after boot. */
static inline long sys_getrandom(void *buffer, size_t size)
{
    const int kept = errno;
    return sys_settle(syscall(SYS_getrandom, buffer, size, 1 /* GRND_NONBLOCK */), kept);
}

/* Renames unless the new name exists (-EEXIST); -EINVAL or -ENOSYS where it is not to be had. */
static inline int sys_rename_new(const char *from, const char *to)
{
    const int kept = errno;
    return (int)sys_settle(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1 /* RENAME_NOREPLACE */),
                           kept);
}

#endif
