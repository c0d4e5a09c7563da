#include "connect/again.h"

#include <errno.h>

#include "connect/pending.h"
#include "connect/stay.h"
#include "sys/clock.h"
#include "sys/raw.h"

static const struct policy *settings_of(const struct attempt *attempt)
{
    return attempt->call.policy->settings;
}

/* Whether the outcome is still to come. */
static bool is_on_its_way(struct attempt *attempt, int error)
{
    if (error)
        return error == EINPROGRESS || (error == EINTR && attempt_is_tcp(attempt));
    return attempt_is_at_once(attempt) && attempt_is_tcp(attempt) &&
           socket_progress(attempt->fd) != SOCKET_CONNECTED;
}

/* Whether it turns out now that the socket is none of gusset's. */
static bool is_misjudged(struct attempt *attempt, int error)
{
    if (error || !attempt_is_plain(attempt))
        attempt_is_tcp(attempt);
    return attempt->kind == SOCKET_OTHER;
}

/* Whether the program may be kept waiting for another try; also says how long. */
static bool may_wait(struct attempt *attempt)
{
    const struct policy *settings = settings_of(attempt);

    if (attempt->call.shadow)
        return false;
    if (!(settings->groups & POLICY_RETRY))
        return attempt->call.route.left && socket_is_blocking(attempt->fd);
    return stay_may(attempt);
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

/* Where there are threads, that can also happen while the connect is made: then this must come before. */
void again_identify(struct attempt *attempt)
{
    if (!attempt->cookie)
        attempt->cookie = socket_cookie(attempt->fd);
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
    again_identify(attempt);
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

    bool is_late = error == ETIMEDOUT && call->ready->ends_us && clock_now_us() >= call->ready->ends_us;
    if (is_late || error == EINTR ||
        error == EALREADY) /* of a unix socket; of a connect that gusset has not seen begin */
        ended.outcome.type = OUTCOME_LOCAL;
    ended.replayable = error && may_wait(attempt);
    uint64_t deadline_us = stay_narrow(attempt);
    struct verdict verdict = gate_ended(call, &ended);
    call->deadline_us = deadline_us;
    return verdict;
}

/*
 * Waits for the next try; false when a signal comes first (the program may mean it), the socket has gone or
 * the circuit opened.
 */
static bool wait_for_next(struct attempt *attempt, uint32_t ms)
{
    again_identify(attempt);
    if (stay_ms(ms) == -EINTR || stay_refused(attempt) || !is_still_ours(attempt))
        return false;
    if (attempt->kind == SOCKET_TCP)
        socket_disconnect(attempt->fd);
    return true;
}

/* The next one need not search, if it is not to be asked whom it has reached. Before the call is over: then
 * it holds its rules no more. */
static void keep(const struct attempt *attempt)
{
    if (attempt->is_searched && !attempt->is_near && !attempt->service.known &&
        attempt->place->family != PLACE_UNIX)
        known_keep(attempt->place, &attempt->moment, &attempt->call);
}

__attribute__((cold)) int again_until_over(struct attempt *attempt, int error)
{
    for (;; error = attempt_make(attempt)) {
        bool is_under_way = is_on_its_way(attempt, error);
        if (is_misjudged(attempt, error)) {
            socket_unlimit(attempt->fd, &attempt->limit);
            known_mixed(attempt->place);
            gate_retract(&attempt->call);
            return error;
        }
        if (is_under_way) {
            int known = may_hold(attempt, error) ? hold(attempt, error) : error;
            if (known == error) {
                keep(attempt);
                pending_add(attempt->fd, attempt->cookie, &attempt->call, &attempt->limit);
                return error;
            }
            error = known;
        }
        socket_unlimit(attempt->fd, &attempt->limit);
        struct verdict verdict = tell(attempt, error);
        if (verdict.kind != VERDICT_AGAIN || !wait_for_next(attempt, verdict.wait_ms)) {
            keep(attempt);
            gate_leave(&attempt->call);
            return error;
        }
    }
}
