#include "connect/attempt.h"

#include <errno.h>

#include "connect/again.h"
#include "connect/names.h"
#include "connect/peer.h"
#include "connect/pending.h"
#include "connect/repeat.h"
#include "connect/stay.h"
#include "gate/ready.h"
#include "sys/clock.h"
#include "sys/real.h"
#include "sys/threads.h"

enum {
    EPHEMERAL_PORTS =
        32768 /* the first that the kernel picks for a caller, unless an administrator says else */
};

/* What is rarely come to stands by itself, so that the way of nearly every connect lies in few lines of the
 * cache. */
#define APART static __attribute__((noinline, cold))

/* ---- opening ---- */

static bool is_internet(const struct place *place)
{
    return place->family != PLACE_UNIX;
}

/* By the name that the program looked up, else by the address itself. */
static bool open_call(struct attempt *attempt, struct place *place)
{
    struct place named;
    struct rules_match match;
    struct rules_query by_name = {.place = &named}, by_address = {.place = place};
    bool is_named = is_internet(place), is_certain = false;

    is_named =
        is_named && names_find(place, &named, &is_certain) && gate_matches(&attempt->call, &by_name, &match);
    if (!is_named && !gate_matches(&attempt->call, &by_address, &match)) {
        if (is_internet(place) && attempt->call.ready) { /* or gusset has stepped back meanwhile */
            known_unmatched(place, &attempt->moment);
            gate_count_unprotected(attempt->call.ready->state.header);
        }
        return false;
    }
    pending_prepare();
    attempt->kind = socket_kind(attempt->fd, !is_internet(place));
    if (attempt->kind == SOCKET_OTHER) {
        if (is_internet(place))
            known_mixed(place);
        return false;
    }
    if (!is_named || !is_certain) /* several names lead here: what fails is the address */
        peer_name(place);
    if (!gate_open_matched(&attempt->call, is_named && is_certain ? &named : place, &match))
        return false;
    if (is_named && is_certain && !attempt->call.shadow)
        service_ask(&attempt->service, &attempt->call, &named, place);
    return true;
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

static int refusal_errno(const struct attempt *attempt)
{
    uint32_t error = settings_of(attempt)->breaker.refusal_errno;
    if (attempt->call.outcome.type == OUTCOME_LOCAL) /* the run's deadline has passed */
        return ETIMEDOUT;
    return error ? (int)error : ECONNREFUSED;
}

__attribute__((noinline, cold)) bool attempt_is_tcp(struct attempt *attempt)
{
    if (attempt->is_presumed) {
        attempt->is_presumed = false;
        attempt->kind = socket_kind(attempt->fd, false);
    }
    return attempt->kind == SOCKET_TCP;
}

/* ---- one attempt ---- */

/* How long it may take, in milliseconds; 0: as long as the kernel likes. */
static uint32_t patience_ms(const struct attempt *attempt)
{
    const struct policy *settings = settings_of(attempt);
    const struct gate_call *call = &attempt->call;
    uint64_t now_us, left_ms = UINT32_MAX;

    bool has_limits = settings->groups & POLICY_TIMEOUT;
    if (call->shadow || !(has_limits || call->deadline_us))
        return 0;
    if (call->deadline_us) {
        now_us = call->attempt > 1 ? clock_now_us() : call->opened_us;
        left_ms = now_us < call->deadline_us ? (call->deadline_us - now_us) / 1000 + 1 : 1;
    }
    if (has_limits && settings->timeout.connect_ms && settings->timeout.connect_ms < left_ms)
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
APART int connect_within_send_timeout(struct attempt *attempt)
{
    uint64_t began_us = clock_now_us(), limit_us = (uint64_t)attempt->limit.limit_ms * 1000, took_us;
    int error = connect_real(attempt);

    while (error == EINTR && (took_us = clock_now_us() - began_us) + 1000 < limit_us) {
        socket_shorten(attempt->fd, (uint32_t)((limit_us - took_us) / 1000));
        error = connect_real(attempt);
    }
    if (error != EINPROGRESS && error != EALREADY && error != EAGAIN && error != EINTR)
        return error;
    if (attempt_is_tcp(attempt))
        socket_disconnect(attempt->fd);
    return attempt->kind == SOCKET_OTHER ? error : ETIMEDOUT;
}

/* A loop that tries a closed port of this machine is, sooner or later, given that very port as its own. */
static bool may_be_self(const struct attempt *attempt)
{
    return attempt->is_near || attempt->call.attempt > 1;
}

APART bool is_self_connected(struct attempt *attempt)
{
    return attempt_is_tcp(attempt) && socket_is_own_peer(attempt->fd, attempt->to);
}

/* That the kernel knows TCP's limit for the socket says that it is TCP. */
static __attribute__((noinline)) void put_limit(struct attempt *attempt, uint32_t limit_ms)
{
    socket_limit(attempt->fd, attempt->kind, limit_ms, &attempt->limit);
    if (attempt->limit.kind == SOCKET_USER_TIMEOUT)
        attempt->is_presumed = false;
    if (attempt->limit.kind == SOCKET_NO_LIMIT)
        attempt_is_tcp(attempt);
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

int attempt_make(struct attempt *attempt)
{
    uint32_t limit_ms = patience_ms(attempt);

    if (attempt->service.known) {
        service_lead(&attempt->service, &attempt->call, &attempt->to, attempt->length);
        attempt->is_near = true; /* for all that is known: it goes elsewhere than it seemed */
    }
    attempt->limit.kind = SOCKET_NO_LIMIT;
    attempt->limit.limit_ms = 0;
    if (attempt->call.fault)
        return rehearsed_errno(attempt);
    if (limit_ms)
        put_limit(attempt, limit_ms);
    bool is_timed = attempt->limit.kind == SOCKET_SEND_TIMEOUT;
    int error = is_timed ? connect_within_send_timeout(attempt) : connect_real(attempt);
    if (error)
        return error;
    attempt->returned_us = clock_now_us();
    if (attempt->call.shadow || !may_be_self(attempt) || !is_self_connected(attempt))
        return 0;
    socket_disconnect(attempt->fd);
    return ECONNREFUSED;
}

bool attempt_is_at_once(const struct attempt *attempt)
{
    return attempt->returned_us - attempt->call.opened_us < ATTEMPT_AT_ONCE_US;
}

bool attempt_is_plain(const struct attempt *attempt)
{
    return attempt->kind == SOCKET_TCP && !attempt_is_at_once(attempt) && gate_is_calm(&attempt->call);
}

int attempt_run(struct attempt *attempt)
{
    bool may_go_on = settings_of(attempt)->groups & POLICY_RETRY || attempt->service.known;

    if (may_go_on && !attempt->call.shadow && !threads_are_none())
        again_identify(attempt);
    return again_until_over(attempt, attempt_make(attempt));
}

/* ---- the door ---- */

/* A connect(2) on a socket whose first one gusset has seen: the program asks, the kernel answers. */
APART int ask_again(int fd, const struct sockaddr *to, socklen_t length)
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
    if (stay_refused(attempt)) {
        error = refusal_errno(attempt);
        gate_leave(&attempt->call);
    } else {
        error = attempt_run(attempt);
    }
    errno = error ? error : saved;
    return error ? -1 : 0;
}

/* To a port of this machine's that a caller may be given. */
static bool is_near(const struct place *place)
{
    return is_internet(place) && place->port >= EPHEMERAL_PORTS && place_is_loopback(place);
}

/* The way of a connect to where none has led before, or where something has changed. */
APART int connect_anew(struct attempt *attempt, struct place *place)
{
    int saved = errno;

    if (is_internet(place))
        attempt->moment = known_moment(place);
    attempt->is_searched = true;
    attempt->is_presumed = false;
    attempt->call.ready = NULL;
    if (open_call(attempt, place))
        return connect_judged(attempt, saved);
    gate_forget(&attempt->call);
    errno = saved;
    return real.connect(attempt->fd, attempt->to, attempt->length);
}

void attempt_begin(struct attempt *attempt, int fd, const struct sockaddr *to, socklen_t length,
                   const struct place *place)
{
    attempt->fd = fd;
    attempt->to = to;
    attempt->length = length;
    attempt->place = place;
    attempt->hold_until_us = attempt->cookie = 0;
    attempt->service.known = NULL;
    attempt->is_near = is_near(place);
}

APART int connect_searching(int fd, const struct sockaddr *to, socklen_t length, struct place *place)
{
    struct attempt attempt;

    attempt_begin(&attempt, fd, to, length, place);
    attempt.call.place = attempt.call.aside = NULL;
    attempt.call.can_reply = attempt.call.is_raced = false;
    return connect_anew(&attempt, place);
}

/* Whether the socket's connect is one that gusset has seen begin. */
APART bool is_under_way(int fd, const struct sockaddr *to, socklen_t length)
{
    int saved = errno;
    bool is_found = pending_find(fd) != PENDING_NOT;

    if (is_found && peer_leads_nowhere(to, length))
        pending_leave(fd);
    errno = saved;
    return is_found;
}

int attempt_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    struct place place;
    struct known_look look = {.answer = KNOWN_NOT};
    int result;

    if (pending_any() && is_under_way(fd, to, length))
        return ask_again(fd, to, length);
    const struct ready *ready = gate_ready(false);
    if (!ready || !peer_read(&place, to, length))
        return real.connect(fd, to, length);
    if (is_internet(&place))
        look = known_look(&place);
    if (look.answer != KNOWN_UNMATCHED)
        return look.answer == KNOWN_CALL && repeat_connect(fd, to, length, &look, &result)
                   ? result
                   : connect_searching(fd, to, length, &place);
    gate_count_unprotected(ready->state.header);
    return real.connect(fd, to, length);
}
