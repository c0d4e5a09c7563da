#include "connect/repeat.h"

#include <errno.h>

#include "connect/again.h"
#include "connect/attempt.h"
#include "connect/peer.h"
#include "connect/pending.h"
#include "connect/socket.h"
#include "sys/clock.h"
#include "sys/real.h"
#include "sys/threads.h"

struct repeat {
    int fd;
    socklen_t length;
    const struct sockaddr *to;
    struct kept kept;
    uint64_t opened_us, returned_us;
    uint64_t cookie; /* of the socket; 0: it was not asked for */
    struct socket_limit limit;
    int saved; /* errno, where a failure may be mended */
};

/* The place must outlive the attempt. */
static void become(struct attempt *attempt, struct place *place, const struct repeat *repeat)
{
    peer_of(place, repeat->to, repeat->length);
    attempt_begin(attempt, repeat->fd, repeat->to, repeat->length, place);
    attempt->kind = SOCKET_TCP;
    attempt->is_presumed = repeat->limit.kind == SOCKET_NO_LIMIT;
    attempt->is_searched = false;
    attempt->limit = repeat->limit;
    attempt->cookie = repeat->cookie;
    attempt->returned_us = repeat->returned_us;
    kept_call(&repeat->kept, repeat->opened_us, &attempt->call);
}

/* It came to an error, or to an end that says more than that it went well. */
static __attribute__((noinline, cold)) int go_on(const struct repeat *repeat, int error)
{
    int saved = error ? repeat->saved : errno;
    struct attempt attempt;
    struct place place;

    become(&attempt, &place, repeat);
    error = again_until_over(&attempt, error);
    errno = error ? error : saved;
    return error ? -1 : 0;
}

/* A limit that takes more than one system call, or that the kernel does not take. */
static __attribute__((noinline, cold)) int begin_anew(const struct repeat *repeat)
{
    int saved = errno;
    struct attempt attempt;
    struct place place;

    become(&attempt, &place, repeat);
    int error = attempt_run(&attempt);

    errno = error ? error : saved;
    return error ? -1 : 0;
}

static inline bool may_limit(struct repeat *repeat)
{
    repeat->limit.kind = SOCKET_NO_LIMIT;
    if (!repeat->kept.limit_ms)
        return true;
    if (repeat->kept.limit_ms < SOCKET_USER_TIMEOUT_FLOOR_MS)
        return false;
    socket_limit(repeat->fd, SOCKET_TCP, repeat->kept.limit_ms, &repeat->limit);
    return repeat->limit.kind != SOCKET_NO_LIMIT;
}

static inline bool has_ended(struct repeat *repeat)
{
    repeat->returned_us = clock_now_us();
    return repeat->returned_us - repeat->opened_us >= ATTEMPT_AT_ONCE_US &&
           kept_ended(&repeat->kept, repeat->opened_us, repeat->returned_us);
}

static inline int make(struct repeat *repeat)
{
    if (!may_limit(repeat))
        return begin_anew(repeat);
    if (real.connect(repeat->fd, repeat->to, repeat->length) != 0)
        return go_on(repeat, errno);
    if (!has_ended(repeat))
        return go_on(repeat, 0);
    if (repeat->limit.kind != SOCKET_NO_LIMIT)
        socket_unlimit(repeat->fd, &repeat->limit);
    return 0;
}

bool repeat_connect(int fd, const struct sockaddr *to, socklen_t length, const struct known_look *look,
                    int *result)
{
    struct repeat repeat;

    if (!known_open(look, &repeat.kept, &repeat.opened_us))
        return false;
    repeat.fd = fd;
    repeat.to = to;
    repeat.length = length;
    repeat.returned_us = repeat.cookie = 0;
    repeat.saved = 0;
    if (repeat.kept.has_retries) {
        repeat.saved = errno;
        repeat.cookie = threads_are_none() ? 0 : socket_cookie(fd);
    }
    *result = make(&repeat);
    return true;
}

int repeat_at_once(int fd, const struct sockaddr *to, socklen_t length, struct known_entry *entry,
                   uint64_t version)
{
    const struct known_look look = {
        .answer = KNOWN_CALL, .is_settled = true, .entry = entry, .version = version};
    int result;

    if (!pending_any() && repeat_connect(fd, to, length, &look, &result))
        return result;
    return attempt_connect(fd, to, length);
}
