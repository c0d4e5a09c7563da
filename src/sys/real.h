/*
 * The libc functions that gusset stands in front of, and the way past it: real.connect is the next
 * connect in the loader's order. Each pointer starts as a finder that looks its function up at the first
 * call and puts it in its place, so that a call before our constructor works as well as one after it.
 */
#ifndef GUSSET_SYS_REAL_H
#define GUSSET_SYS_REAL_H

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

/* name, result, parameters, arguments, what to answer when there is none such */
#define REAL_FUNCTIONS(X)                                                                                    \
    X(connect, int, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length),                 \
      real_answer(sys_connect(fd, to, length)))                                                              \
    X(getsockopt, int, (int fd, int level, int option, void *value, socklen_t *length),                      \
      (fd, level, option, value, length), real_missing())                                                    \
    X(setsockopt, int, (int fd, int level, int option, const void *value, socklen_t length),                 \
      (fd, level, option, value, length), real_answer(sys_setsockopt(fd, level, option, value, length)))     \
    X(shutdown, int, (int fd, int how), (fd, how), real_missing())                                           \
    X(close, int, (int fd), (fd), real_answer(sys_close(fd)))                                                \
    X(close_range, int, (unsigned first, unsigned last, int flags), (first, last, flags), real_missing())    \
    X(closefrom, void, (int first), (first), (void)0)                                                        \
    X(dup2, int, (int fd, int onto), (fd, onto), real_missing())                                             \
    X(dup3, int, (int fd, int onto, int flags), (fd, onto, flags), real_missing())                           \
    X(poll, int, (struct pollfd * fds, nfds_t count, int timeout_ms), (fds, count, timeout_ms),              \
      real_missing())                                                                                        \
    X(ppoll, int, (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask), \
      (fds, count, timeout, mask), real_missing())                                                           \
    X(epoll_wait, int, (int loop, struct epoll_event *events, int most, int timeout_ms),                     \
      (loop, events, most, timeout_ms), real_missing())                                                      \
    X(epoll_pwait, int,                                                                                      \
      (int loop, struct epoll_event *events, int most, int timeout_ms, const sigset_t *mask),                \
      (loop, events, most, timeout_ms, mask), real_missing())                                                \
    X(epoll_pwait2, int,                                                                                     \
      (int loop, struct epoll_event *events, int most, const struct timespec *timeout,                       \
       const sigset_t *mask),                                                                                \
      (loop, events, most, timeout, mask), real_missing())                                                   \
    X(prctl, int,                                                                                            \
      (int option, unsigned long second, unsigned long third, unsigned long fourth, unsigned long fifth),    \
      (option, second, third, fourth, fifth), real_missing())                                                \
    X(getaddrinfo, int,                                                                                      \
      (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result),       \
      (node, service, hints, result), EAI_FAIL)                                                              \
    X(getaddrinfo_a, int, (int mode, struct gaicb *list[], int count, struct sigevent *event),               \
      (mode, list, count, event), EAI_FAIL)                                                                  \
    X(gai_error, int, (struct gaicb * request), (request), EAI_FAIL)                                         \
    X(gethostbyname, struct hostent *, (const char *name), (name), NULL)                                     \
    X(gethostbyname2, struct hostent *, (const char *name, int family), (name, family), NULL)                \
    X(gethostbyname_r, int,                                                                                  \
      (const char *name, struct hostent *entry, char *room, size_t size, struct hostent **result,            \
       int *error),                                                                                          \
      (name, entry, room, size, result, error), real_missing())                                              \
    X(gethostbyname2_r, int,                                                                                 \
      (const char *name, int family, struct hostent *entry, char *room, size_t size,                         \
       struct hostent **result, int *error),                                                                 \
      (name, family, entry, room, size, result, error), real_missing())

struct real {
#define X(name, result, parameters, arguments, otherwise) result(*_Atomic name) parameters;
    REAL_FUNCTIONS(X)
#undef X
};

extern struct real real __attribute__((visibility("hidden")));

#endif
