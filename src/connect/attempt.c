#include "connect/attempt.h"

#include <errno.h>

#include "connect/names.h"
#include "connect/peer.h"
#include "connect/pending.h"
#include "connect/socket.h"
#include "gate/gate.h"
#include "sys/clock.h"
#include "sys/raw.h"
#include "sys/real.h"

enum {
    AT_ONCE_US = 8, /* quicker than any handshake: Fast Open has put it off until the first write */
    EPHEMERAL_PORTS =
        32768 /* the first that the kernel picks for a caller, unless an administrator says else */
};

/* A connect on its way through its attempts. */
struct attempt {
    int fd;
    const struct sockaddr *to;
    socklen_t length;
    enum socket_kind kind;
    uint64_t hold_until_us; /* a socket that does not block may keep the program until then; 0: it blocks */
    uint64_t cookie;        /* of the socket, where it may be tried again */
    struct socket_limit limit;
    struct gate_call call;
};

/* ---- opening ---- */

/* By the name that the program looked up, else by the address itself. */
static bool open_call(struct attempt *attempt, struct place *place)
{
    struct place named;
    struct rules_match match;
    struct rules_query by_name = {.place = &named}, by_address = {.place = place};
    bool is_named = place->family != PLACE_UNIX, is_certain = false;

    is_named =
        is_named && names_find(place, &named, &is_certain) && gate_matches(&attempt->call, &by_name, &match);
    if (!is_named && !gate_matches(&attempt->call, &by_address, &match)) {
        if (place->family != PLACE_UNIX)
            gate_count_unprotected();
        return false;
    }
    pending_prepare();
    attempt->kind = socket_kind(attempt->fd, place->family == PLACE_UNIX);
    if (attempt->kind == SOCKET_OTHER)
        return false;
    if (!is_named || !is_certain) /* several names lead here: what fails is the address */
        peer_name(place);
    return gate_open_matched(&attempt->call, is_named && is_certain ? &named : place, &match);
}

static const struct policy *settings_of(const struct attempt *attempt)
{
    return attempt->call.policy->settings;
}

/*
 * A second connect() is how many clients ask how the first one ended. Those that pending has seen do not come
 * here; of the others one may be met before anything is refused or spent.
 */
static bool is_question(const struct attempt *attempt)
{
    return attempt->kind == SOCKET_TCP && !gate_is_clear(&attempt->call) &&
           socket_progress(attempt->fd) != SOCKET_IDLE;
}

/* A socket that must not block cannot be kept waiting for its token: it is refused instead. */
static bool is_refused(struct attempt *attempt)
{
    const struct policy *settings = settings_of(attempt);
    bool wants_wait =
        (settings->groups & POLICY_LIMIT && settings->limit.rule.wait_ms) || settings->groups & POLICY_FAULT;
    bool may_wait = wants_wait && socket_is_blocking(attempt->fd);
    struct verdict verdict = gate_admit(&attempt->call, may_wait);

    if (verdict.kind == VERDICT_WAIT)
        clock_sleep_ms(verdict.wait_ms);
    return verdict.kind == VERDICT_REFUSE;
}

static int refusal_errno(const struct attempt *attempt)
{
    uint32_t error = settings_of(attempt)->breaker.refusal_errno;
    return error ? (int)error : ECONNREFUSED;
}

/* ---- one attempt ---- */

/* How long it may take, in milliseconds; 0: as long as the kernel likes. */
static uint32_t patience_ms(const struct attempt *attempt)
{
    const struct policy *settings = settings_of(attempt);
    const struct gate_call *call = &attempt->call;
    uint64_t now_us, left_ms = UINT32_MAX;

    if (call->shadow || !(settings->groups & POLICY_TIMEOUT))
        return 0;
    if (call->deadline_us) {
        now_us = call->attempt > 1 ? clock_now_us() : call->opened_us;
        left_ms = now_us < call->deadline_us ? (call->deadline_us - now_us) / 1000 + 1 : 1;
    }
    if (settings->timeout.connect_ms && settings->timeout.connect_ms < left_ms)
        left_ms = settings->timeout.connect_ms;
    return left_ms < UINT32_MAX ? (uint32_t)left_ms : 0;
}

static int connect_real(const struct attempt *attempt)
{
    return real.connect(attempt->fd, attempt->to, attempt->length) == 0 ? 0 : errno;
}

/*
 * Under SO_SNDTIMEO the kernel no longer restarts a connect that a signal has interrupted, so that is done
 * here; and it reports the end of its patience in three ways.
 */
static int connect_within_send_timeout(struct attempt *attempt)
{
    uint64_t began_us = clock_now_us(), limit_us = (uint64_t)attempt->limit.limit_ms * 1000, took_us;
    int error = connect_real(attempt);

    while (error == EINTR && (took_us = clock_now_us() - began_us) + 1000 < limit_us) {
        socket_shorten(attempt->fd, (uint32_t)((limit_us - took_us) / 1000));
        error = connect_real(attempt);
    }
    if (error != EINPROGRESS && error != EALREADY && error != EAGAIN && error != EINTR)
        return error;
    if (attempt->kind == SOCKET_TCP)
        socket_disconnect(attempt->fd);
    return ETIMEDOUT;
}

/* A loop that tries a closed port of this machine is, sooner or later, given that very port as its own. */
static bool is_self_connected(const struct attempt *attempt)
{
    struct place place;

    if (attempt->kind != SOCKET_TCP || !peer_of(&place, attempt->to, attempt->length))
        return false;
    bool is_likely = attempt->call.attempt > 1 || (place.port >= EPHEMERAL_PORTS && peer_is_loopback(&place));
    return is_likely && socket_is_own_peer(attempt->fd, attempt->to);
}

/* A rehearsed fault's; 0: none. A socket that blocks is kept until the end of its limit. */
static int rehearsed_errno(const struct attempt *attempt)
{
    switch (attempt->call.fault) {
    case REHEARSAL_REFUSE:
        return ECONNREFUSED;
    case REHEARSAL_RESET:
        return ECONNRESET;
    case REHEARSAL_TIMEOUT:
        if (socket_is_blocking(attempt->fd))
            clock_sleep_ms(patience_ms(attempt));
        return ETIMEDOUT;
    }
    return 0;
}

/* Makes the attempt; its limit stands until socket_unlimit. Returns 0 or an errno. */
static int make(struct attempt *attempt)
{
    uint32_t limit_ms = patience_ms(attempt);

    attempt->limit = (struct socket_limit){.kind = SOCKET_NO_LIMIT};
    if (attempt->call.fault)
        return rehearsed_errno(attempt);
    if (limit_ms)
        socket_limit(attempt->fd, attempt->kind, limit_ms, &attempt->limit);
    bool is_timed = attempt->limit.kind == SOCKET_SEND_TIMEOUT;
    int error = is_timed ? connect_within_send_timeout(attempt) : connect_real(attempt);
    if (error == 0 && !attempt->call.shadow && is_self_connected(attempt)) {
        socket_disconnect(attempt->fd);
        return ECONNREFUSED;
    }
    return error;
}

/* Whether the outcome is still to come. */
static bool is_on_its_way(const struct attempt *attempt, int error)
{
    if (error)
        return error == EINPROGRESS || (error == EINTR && attempt->kind == SOCKET_TCP);
    return attempt->kind == SOCKET_TCP && clock_now_us() - attempt->call.opened_us < AT_ONCE_US &&
           socket_progress(attempt->fd) != SOCKET_CONNECTED;
}

/* ---- again ---- */

/* Whether the program may be kept waiting for another try; also says how long. */
static bool may_wait(struct attempt *attempt)
{
    const struct policy *settings = settings_of(attempt);

    if (attempt->call.shadow || !(settings->groups & POLICY_RETRY))
        return false;
    if (attempt->hold_until_us)
        return true;
    if (settings->retry.hold_ms)
        attempt->hold_until_us = attempt->call.opened_us + (uint64_t)settings->retry.hold_ms * 1000;
    if (!socket_is_blocking(attempt->fd))
        return attempt->hold_until_us != 0;
    attempt->hold_until_us = 0;
    return true;
}

/* An outcome is waited for only where retry.wait asks for it: a blocking socket that has not ended was told
 * to. */
static bool may_hold(struct attempt *attempt, int error)
{
    return error == EINPROGRESS && settings_of(attempt)->retry.hold_ms && may_wait(attempt) &&
           attempt->hold_until_us;
}

/*
 * While gusset waits another thread may close the descriptor, and its number become another socket's, with
 * which nothing may be done. (A connect that waits in the kernel keeps its own socket.)
 */
static bool is_still_ours(const struct attempt *attempt)
{
    return socket_cookie(attempt->fd) == attempt->cookie;
}

/*
 * retry.wait: waits for the outcome of a socket that does not block. Returns it, or the error as it was. One
 * that failed is left as a connect(2) leaves it that fails at once: ready for another.
 */
static int hold(struct attempt *attempt, int error)
{
    struct pollfd one = {.fd = attempt->fd, .events = POLLOUT};
    uint64_t now_us = clock_now_us();

    if (now_us >= attempt->hold_until_us)
        return error;
    uint64_t left_us = attempt->hold_until_us - now_us;
    struct sys_time left = {(int64_t)(left_us / 1000000), (int64_t)(left_us % 1000000) * 1000};
    if (sys_poll_one(&one, &left) <= 0 || socket_progress(attempt->fd) != SOCKET_IDLE ||
        !is_still_ours(attempt))
        return error; /* connected: the program will find out */
    int taken = socket_take_error(attempt->fd);
    socket_disconnect(attempt->fd);
    return taken ? taken : ECONNREFUSED;
}

static struct verdict tell(struct attempt *attempt, int error)
{
    struct gate_call *call = &attempt->call;
    struct gate_attempt ended = {.outcome = outcome_of_errno(error), .retry_after_ms = -1};
    uint64_t deadline_us = call->deadline_us;

    if (error == EINTR ||
        error == EALREADY) /* of a unix socket; of a connect that gusset has not seen begin */
        ended.outcome.type = OUTCOME_LOCAL;
    ended.replayable = error && may_wait(attempt);
    if (attempt->hold_until_us && (!deadline_us || attempt->hold_until_us < deadline_us))
        call->deadline_us = attempt->hold_until_us;
    struct verdict verdict = gate_ended(call, &ended);
    call->deadline_us = deadline_us;
    return verdict;
}

/*
 * Waits for the next try; false when a signal comes first (the program may mean it), the socket has gone or
 * the circuit opened.
 */
static bool wait_for_next(struct attempt *attempt, uint32_t wait_ms)
{
    const struct sys_time duration = {wait_ms / 1000, (int64_t)(wait_ms % 1000) * 1000000};

    if ((wait_ms && sys_sleep(&duration) == -EINTR) || !is_still_ours(attempt))
        return false;
    if (attempt->kind == SOCKET_TCP)
        socket_disconnect(attempt->fd);
    return gate_admit(&attempt->call, false).kind == VERDICT_GO;
}

/* All attempts of an admitted call. Returns 0 or an errno. */
static int run(struct attempt *attempt)
{
    if (settings_of(attempt)->groups & POLICY_RETRY && !attempt->call.shadow)
        attempt->cookie = socket_cookie(attempt->fd);
    for (;;) {
        int error = make(attempt);
        if (is_on_its_way(attempt, error)) {
            int known = may_hold(attempt, error) ? hold(attempt, error) : error;
            if (known == error) {
                pending_add(attempt->fd, &attempt->call, &attempt->limit);
                return error;
            }
            error = known;
        }
        socket_unlimit(attempt->fd, &attempt->limit);
        struct verdict verdict = tell(attempt, error);
        if (verdict.kind != VERDICT_AGAIN || !wait_for_next(attempt, verdict.wait_ms)) {
            gate_leave(&attempt->call);
            return error;
        }
    }
}

/* ---- the door ---- */

/* A connect(2) on a socket whose first one gusset has seen: the program asks, the kernel answers. */
static int ask_again(int fd, const struct sockaddr *to, socklen_t length)
{
    int result = real.connect(fd, to, length), error = result < 0 ? errno : 0;

    if (error != EALREADY && error != EINPROGRESS && error != EINTR)
        pending_told(fd, error == EISCONN ? 0 : error);
    if (error)
        errno = error;
    return result;
}

static int connect_judged(struct attempt *attempt, int saved)
{
    int error;

    if (is_question(attempt)) {
        gate_leave(&attempt->call);
        errno = saved;
        return real.connect(attempt->fd, attempt->to, attempt->length);
    }
    if (is_refused(attempt)) {
        error = refusal_errno(attempt);
        gate_leave(&attempt->call);
    } else {
        error = run(attempt);
    }
    errno = error ? error : saved;
    return error ? -1 : 0;
}

int attempt_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    struct attempt attempt;
    struct place place;
    int saved = errno;

    if (pending_any() && pending_find(fd) != PENDING_NOT) {
        if (peer_leads_nowhere(to, length))
            pending_leave(fd);
        errno = saved;
        return ask_again(fd, to, length);
    }
    if (!gate_ready(false) || !peer_read(&place, to, length))
        return real.connect(fd, to, length);
    attempt.fd = fd;
    attempt.to = to;
    attempt.length = length;
    attempt.hold_until_us = attempt.cookie = 0;
    attempt.call.ready = NULL;
    attempt.call.can_reply = false;
    if (!open_call(&attempt, &place)) {
        gate_forget(&attempt.call);
        errno = saved;
        return real.connect(fd, to, length);
    }
    return connect_judged(&attempt, saved);
}
