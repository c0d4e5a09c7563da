#include "connect/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "sys/raw.h"

enum {
    INFO_BYTES_ACKED = 120 /* where the kernel's tcp_info, longer than libc's, has tcpi_bytes_acked */
};

static bool ask(int fd, int level, int option, void *value, socklen_t size)
{
    return sys_getsockopt(fd, level, option, value, &size) == 0;
}

/* One question parts TCP from MPTCP, which says IPPROTO_MPTCP, and from datagrams. */
enum socket_kind socket_kind(int fd, bool is_unix)
{
    int answer = 0;

    if (is_unix)
        return ask(fd, SOL_SOCKET, SO_TYPE, &answer, sizeof answer) && answer == SOCK_STREAM
                   ? SOCKET_UNIX_STREAM
                   : SOCKET_OTHER;
    return ask(fd, SOL_SOCKET, SO_PROTOCOL, &answer, sizeof answer) && answer == IPPROTO_TCP ? SOCKET_TCP
                                                                                             : SOCKET_OTHER;
}

enum socket_progress socket_progress(int fd)
{
    struct tcp_info info = {0};

    if (!ask(fd, IPPROTO_TCP, TCP_INFO, &info, offsetof(struct tcp_info, tcpi_ca_state)))
        return SOCKET_UNKNOWN;
    switch (info.tcpi_state) {
    case TCP_CLOSE:
        return SOCKET_IDLE;
    case TCP_SYN_SENT:
    case TCP_SYN_RECV: /* both sides at once */
        return SOCKET_CONNECTING;
    case TCP_LISTEN:
        return SOCKET_UNKNOWN;
    default:
        return SOCKET_CONNECTED;
    }
}

bool socket_was_connected(int fd)
{
    uint64_t info[INFO_BYTES_ACKED / 8 + 1] = {0}; /* a kernel before 4.1 tells less: zero stays */

    return ask(fd, IPPROTO_TCP, TCP_INFO, info, sizeof info) && info[INFO_BYTES_ACKED / 8] > 0;
}

uint32_t socket_round_trip_us(int fd)
{
    struct tcp_info info = {0};
    return ask(fd, IPPROTO_TCP, TCP_INFO, &info, sizeof info) ? info.tcpi_rtt : 0;
}

uint64_t socket_cookie(int fd)
{
    uint64_t cookie = 0;
    return ask(fd, SOL_SOCKET, SO_COOKIE, &cookie, sizeof cookie) ? cookie : 0;
}

bool socket_is_blocking(int fd)
{
    int flags = sys_fcntl_flags(fd);
    return flags >= 0 && !(flags & O_NONBLOCK);
}

int socket_take_error(int fd)
{
    int error = 0;
    ask(fd, SOL_SOCKET, SO_ERROR, &error, sizeof error);
    return error;
}

bool socket_is_own_peer(int fd, const struct sockaddr *to)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;

    if (sys_getsockname(fd, (struct sockaddr *)&name, &length) != 0 || name.ss_family != to->sa_family)
        return false;
    if (to->sa_family == AF_INET) {
        const struct sockaddr_in *here = (const struct sockaddr_in *)&name,
                                 *there = (const struct sockaddr_in *)to;
        return here->sin_port == there->sin_port && here->sin_addr.s_addr == there->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *here = (const struct sockaddr_in6 *)&name,
                              *there = (const struct sockaddr_in6 *)to;
    return here->sin6_port == there->sin6_port &&
           memcmp(&here->sin6_addr, &there->sin6_addr, sizeof here->sin6_addr) == 0;
}

/* The error is read once more: one that is left is what the next connect(2) would say (ECONNABORTED). */
void socket_disconnect(int fd)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    sys_connect(fd, &nowhere, sizeof nowhere);
    socket_take_error(fd);
}

static uint64_t us_of(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static atomic_bool has_user_timeouts; /* some socket may */

void socket_expect_user_timeouts(void)
{
    if (!atomic_load_explicit(&has_user_timeouts, memory_order_relaxed))
        atomic_store_explicit(&has_user_timeouts, true, memory_order_relaxed);
}

/* The question costs as much as each of the two answers; nearly no program ever sets one. */
static bool ask_user_timeout(int fd, uint32_t *own_ms)
{
    *own_ms = 0;
    return !atomic_load_explicit(&has_user_timeouts, memory_order_relaxed) ||
           ask(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, own_ms, sizeof *own_ms);
}

static void limit_user_timeout(int fd, struct socket_limit *limit)
{
    uint32_t own_ms;

    if (!ask_user_timeout(fd, &own_ms) || (own_ms && own_ms <= limit->limit_ms) ||
        sys_setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit->limit_ms, sizeof limit->limit_ms) != 0)
        return;
    limit->user_timeout_ms = own_ms;
    limit->kind = SOCKET_USER_TIMEOUT;
}

void socket_shorten(int fd, uint32_t limit_ms)
{
    struct timeval left = {limit_ms / 1000, (limit_ms % 1000) * 1000};
    sys_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);
}

static void limit_send_timeout(int fd, struct socket_limit *limit)
{
    struct timeval own = {0, 0}, ours = {limit->limit_ms / 1000, (limit->limit_ms % 1000) * 1000};

    if (!ask(fd, SOL_SOCKET, SO_SNDTIMEO, &own, sizeof own) || (us_of(&own) && us_of(&own) <= us_of(&ours)) ||
        sys_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ours, sizeof ours) != 0)
        return;
    limit->send_timeout = own;
    limit->kind = SOCKET_SEND_TIMEOUT;
}

void socket_limit(int fd, enum socket_kind kind, uint32_t limit_ms, struct socket_limit *limit)
{
    bool is_fine = kind == SOCKET_UNIX_STREAM || limit_ms < SOCKET_USER_TIMEOUT_FLOOR_MS;

    *limit = (struct socket_limit){.limit_ms = limit_ms};
    if (is_fine && socket_is_blocking(fd))
        limit_send_timeout(fd, limit);
    else if (kind == SOCKET_TCP)
        limit_user_timeout(fd, limit);
}

void socket_unlimit(int fd, struct socket_limit *limit)
{
    if (limit->kind == SOCKET_USER_TIMEOUT)
        sys_setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit->user_timeout_ms,
                       sizeof limit->user_timeout_ms);
    if (limit->kind == SOCKET_SEND_TIMEOUT)
        sys_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit->send_timeout, sizeof limit->send_timeout);
    limit->kind = SOCKET_NO_LIMIT;
}

void socket_unlimit_unless_changed(int fd, struct socket_limit *limit)
{
    uint32_t now_ms = 0;

    if (limit->kind == SOCKET_USER_TIMEOUT &&
        (!ask(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &now_ms, sizeof now_ms) || now_ms != limit->limit_ms))
        limit->kind = SOCKET_NO_LIMIT;
    socket_unlimit(fd, limit);
}
