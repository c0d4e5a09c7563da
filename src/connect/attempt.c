#include "connect/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "connect/names.h"
#include "gate/gate.h"
#include "sys/clock.h"
#include "sys/real.h"

/* Where the address leads; false for what no rule can name (abstract sockets, netlink, port 0, …). */
static bool place_of(const struct sockaddr *to, socklen_t length, struct place *place)
{
    if (length >= sizeof(struct sockaddr_in) && to->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)to;
        place_from_address(place, PLACE_IPV4, &in->sin_addr, ntohs(in->sin_port));
        return in->sin_port != 0;
    }
    if (length >= sizeof(struct sockaddr_in6) && to->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)to;
        place_from_address(place, PLACE_IPV6, &in6->sin6_addr, ntohs(in6->sin6_port));
        return in6->sin6_port != 0;
    }
    if (length > offsetof(struct sockaddr_un, sun_path) && to->sa_family == AF_UNIX) {
        const char *path = ((const struct sockaddr_un *)to)->sun_path;
        return place_from_path(place, path, strnlen(path, length - offsetof(struct sockaddr_un, sun_path)));
    }
    return false;
}

/*
 * Only a stream that is not yet connected is a call of ours: a second connect() is how many clients learn
 * how the first one ended. One question tells both, since only TCP answers it.
 */
static bool is_new_stream(int fd, enum place_family family)
{
    struct tcp_info info = {0};
    int type = 0;
    socklen_t size = sizeof type;

    if (family == PLACE_UNIX)
        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
    size = offsetof(struct tcp_info, tcpi_ca_state); /* the state stands first, the rest costs time */
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
}

/* By the name that the program looked up, else by the address itself. */
static bool open_call(struct gate_call *call, int fd, const struct place *place)
{
    struct place named;
    struct rules_query query = {.place = &named};
    struct rules_match match;

    if (place->family == PLACE_UNIX || !names_find(place, &named) || !gate_matches(&query, &match)) {
        query.place = place;
        if (!gate_matches(&query, &match))
            return false;
    }
    return is_new_stream(fd, (enum place_family)place->family) &&
           gate_open_matched(call, query.place, &match);
}

static int connect_admitted(struct gate_call *call, int fd, const struct sockaddr *to, socklen_t length)
{
    int result = real.connect(fd, to, length), error = result < 0 ? errno : 0;

    if (error != EINPROGRESS && error != EINTR && error != EALREADY) {
        struct gate_attempt ended = {.outcome = outcome_of_errno(error), .retry_after_ms = -1};
        gate_ended(call, &ended);
    }
    if (error)
        errno = error;
    return result;
}

static bool is_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
}

/* A socket that must not block cannot be kept waiting for its token: it is refused instead. */
static bool is_refused(struct gate_call *call, int fd)
{
    const struct policy *settings = call->policy->settings;
    bool may_wait = settings->groups & POLICY_LIMIT && settings->limit.rule.wait_ms && is_blocking(fd);
    struct verdict verdict = gate_admit(call, may_wait);

    if (verdict.kind == VERDICT_WAIT)
        clock_sleep_ms(verdict.wait_ms);
    return verdict.kind == VERDICT_REFUSE;
}

static int refusal_errno(const struct gate_call *call)
{
    uint32_t error = call->policy->settings->breaker.refusal_errno;
    return error ? (int)error : ECONNREFUSED;
}

int attempt_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    struct place place;
    struct gate_call call;
    int saved = errno, result;

    if (!to || !place_of(to, length, &place) || !open_call(&call, fd, &place)) {
        errno = saved;
        return real.connect(fd, to, length);
    }
    if (is_refused(&call, fd)) {
        gate_close(&call);
        errno = refusal_errno(&call);
        return -1;
    }
    errno = saved;
    result = connect_admitted(&call, fd, to, length);
    saved = errno;
    gate_close(&call);
    errno = saved;
    return result;
}
