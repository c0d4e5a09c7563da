/* connect(2), where its outcome shows, and the look-ups that come before it: guard, ask, delegate. */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "connect/attempt.h"
#include "connect/known_entry.h"
#include "connect/names.h"
#include "connect/pending.h"
#include "connect/repeat.h"
#include "connect/service.h"
#include "connect/socket.h"
#include "gate/ready.h"
#include "sys/libcurl.h"
#include "sys/paired.h"
#include "sys/real.h"

enum { CLOSE_ON_EXEC = 1 << 2 }; /* CLOSE_RANGE_CLOEXEC: nothing is closed yet */
enum { LOOKS = 4 };              /* for each that epoll tells of; one costs three system calls */

#define EXPORTED __attribute__((visibility("default")))

/* What looks closer stands by itself, so that what need not is a test and a jump. */
#define APART static __attribute__((noinline))

APART int connect_from(int fd, const struct sockaddr *to, socklen_t length, const void *caller)
{
    if (libcurl_any_holds(caller))
        return paired_is(to, length) ? 0 : real.connect(fd, to, length); /* libcurl's own, already judged */
    return attempt_connect(fd, to, length);
}

/* (A socket whose connect gusset has seen begin goes to where a rule holds, or did.) */
EXPORTED int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    const void *caller = __builtin_return_address(0);

    if (__builtin_expect(libcurl_one_may_hold(caller), false))
        return connect_from(fd, to, length, caller);
    const struct known_look look = known_at_once(to, length);
    if (look.answer == KNOWN_UNMATCHED) {
        gate_count_unprotected(ready_now.header);
        return real.connect(fd, to, length);
    }
    return look.answer == KNOWN_CALL ? repeat_at_once(fd, to, length, look.entry, look.version)
                                     : attempt_connect(fd, to, length);
}

EXPORTED int __connect(int fd, const struct sockaddr *to, socklen_t length) __attribute__((alias("connect")));

/* ---- where the outcome shows ---- */

APART int error_and_tell(int fd, void *value, socklen_t *length)
{
    int result = real.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length), error;

    if (result == 0 && *length >= sizeof error) {
        memcpy(&error, value, sizeof error);
        pending_told(fd, error);
    }
    return result;
}

EXPORTED int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict length)
{
    if (pending_any_waits() && level == SOL_SOCKET && option == SO_ERROR)
        return error_and_tell(fd, value, length);
    return real.getsockopt(fd, level, option, value, length);
}

/* The program's own limit on a socket is to be found again; before it is set: a thread may connect. */
EXPORTED int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    if (level == IPPROTO_TCP && option == TCP_USER_TIMEOUT)
        socket_expect_user_timeouts();
    return real.setsockopt(fd, level, option, value, length);
}

/*
 * Only what waits before poll can be seen by it: a socket that another thread begins to connect meanwhile was
 * closed when poll first looked, and ended it.
 */
static int look_at(const struct pollfd *fds, nfds_t count, int result)
{
    for (nfds_t i = 0; result > 0 && i < count; i++)
        if (fds[i].revents)
            pending_ready(fds[i].fd);
    return result;
}

APART int poll_and_look(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return look_at(fds, count, real.poll(fds, count, timeout_ms));
}

EXPORTED int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return pending_any_waits() ? poll_and_look(fds, count, timeout_ms) : real.poll(fds, count, timeout_ms);
}

APART int ppoll_and_look(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                         const sigset_t *mask)
{
    return look_at(fds, count, real.ppoll(fds, count, timeout, mask));
}

EXPORTED int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    return pending_any_waits() ? ppoll_and_look(fds, count, timeout, mask)
                               : real.ppoll(fds, count, timeout, mask);
}

/*
 * What epoll tells of is known to the program alone, and not every one asks (haproxy does not). What can be
 * written to may be a socket whose connect has ended; a few more are looked at, so that none is left for
 * long.
 */
APART void look_around(const struct epoll_event *events, int count)
{
    unsigned most = LOOKS;

    for (int i = 0; i < count; i++)
        most += events[i].events & EPOLLOUT ? LOOKS : 0;
    pending_look(most);
}

static inline int look_after(const struct epoll_event *events, int count)
{
    if (count > 0 && pending_any_waits())
        look_around(events, count);
    return count;
}

EXPORTED int epoll_wait(int loop, struct epoll_event *events, int most, int timeout_ms)
{
    return look_after(events, real.epoll_wait(loop, events, most, timeout_ms));
}

EXPORTED int epoll_pwait(int loop, struct epoll_event *events, int most, int timeout_ms, const sigset_t *mask)
{
    return look_after(events, real.epoll_pwait(loop, events, most, timeout_ms, mask));
}

EXPORTED int epoll_pwait2(int loop, struct epoll_event *events, int most, const struct timespec *timeout,
                          const sigset_t *mask)
{
    return look_after(events, real.epoll_pwait2(loop, events, most, timeout, mask));
}

/* ---- where a socket is given up ---- */

EXPORTED int close(int fd)
{
    if (pending_any())
        pending_leave(fd);
    return real.close(fd);
}

EXPORTED int shutdown(int fd, int how)
{
    if (pending_any())
        pending_leave(fd);
    return real.shutdown(fd, how);
}

EXPORTED int dup2(int fd, int onto)
{
    if (pending_any() && fd != onto)
        pending_leave(onto);
    return real.dup2(fd, onto);
}

EXPORTED int dup3(int fd, int onto, int flags)
{
    if (pending_any() && fd != onto)
        pending_leave(onto);
    return real.dup3(fd, onto, flags);
}

EXPORTED int close_range(unsigned first, unsigned last, int flags)
{
    if (pending_any() && !(flags & CLOSE_ON_EXEC))
        pending_leave_range(first, last);
    return real.close_range(first, last, flags);
}

EXPORTED void closefrom(int first)
{
    if (pending_any())
        pending_leave_range(first < 0 ? 0 : (unsigned)first, INT_MAX);
    real.closefrom(first);
}

/* ---- names ---- */

/* A look-up may allocate, so it is also where a program that never calls curl makes its rules ready. */
static void remember(const char *name, const struct addrinfo *addresses)
{
    if (name && addresses && gate_ready(true))
        names_remember(name, addresses);
}

static void remember_entry(const struct service_host *host, const struct hostent *entry)
{
    if (!host->asked || !entry || !gate_ready(true))
        return;
    names_remember_entry(host->asked, entry);
    if (host->address)
        service_learn_entry(host->address, entry);
}

/* libcurl's own look-ups are for where its URL leads. */
static struct route *find_service(const char *name, const void *caller)
{
    if (!name || libcurl_any_holds(caller) || !gate_ready(true))
        return NULL;
    return service_find(name);
}

EXPORTED int getaddrinfo(const char *restrict node, const char *restrict service,
                         const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    struct route *known = find_service(node, __builtin_return_address(0));

    if (known && !(hints && hints->ai_flags & AI_NUMERICHOST))
        return service_look_up(known, node, service, hints, result);
    int code = real.getaddrinfo(node, service, hints, result);
    if (code == 0)
        remember(node, *result);
    return code;
}

/* What is to be looked up for a name: where the service runs that it names. */
static struct service_host find_host(const char *name, const void *caller)
{
    struct route *known = find_service(name, caller);
    return known ? service_host(known, name) : (struct service_host){name, name, NULL};
}

static void remember_request(const struct gaicb *request)
{
    if (request && request->__return == 0)
        remember(request->ar_name, request->ar_result);
}

/* It does not come through getaddrinfo. Without waiting there is nothing to see yet: gai_error tells. */
EXPORTED int getaddrinfo_a(int mode, struct gaicb *list[restrict], int count, struct sigevent *restrict event)
{
    int code = real.getaddrinfo_a(mode, list, count, event);

    for (int i = 0; mode == GAI_WAIT && i < count; i++)
        remember_request(list[i]);
    return code;
}

EXPORTED int gai_error(struct gaicb *request)
{
    int code = real.gai_error(request);

    if (code == 0)
        remember(request->ar_name, request->ar_result);
    return code;
}

EXPORTED struct hostent *gethostbyname(const char *name)
{
    const struct service_host host = find_host(name, __builtin_return_address(0));
    struct hostent *entry = real.gethostbyname(host.name);

    remember_entry(&host, entry);
    return entry;
}

EXPORTED struct hostent *gethostbyname2(const char *name, int family)
{
    const struct service_host host = find_host(name, __builtin_return_address(0));
    struct hostent *entry = real.gethostbyname2(host.name, family);

    remember_entry(&host, entry);
    return entry;
}

EXPORTED int gethostbyname_r(const char *restrict name, struct hostent *restrict entry, char *restrict room,
                             size_t size, struct hostent **restrict result, int *restrict error)
{
    const struct service_host host = find_host(name, __builtin_return_address(0));
    int code = real.gethostbyname_r(host.name, entry, room, size, result, error);

    if (code == 0)
        remember_entry(&host, *result);
    return code;
}

EXPORTED int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict entry,
                              char *restrict room, size_t size, struct hostent **restrict result,
                              int *restrict error)
{
    const struct service_host host = find_host(name, __builtin_return_address(0));
    int code = real.gethostbyname2_r(host.name, family, entry, room, size, result, error);

    if (code == 0)
        remember_entry(&host, *result);
    return code;
}
