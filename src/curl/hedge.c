#include "curl/hedge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl/call.h"
#include "curl/limits.h"
#include "curl/made.h"
#include "curl/multi.h"
#include "curl/proxy.h"
#include "curl/told.h"
#include "gate/race.h"
#include "sys/clock.h"
#include "sys/quiet.h"

enum { TURNS_MOST = 16 }; /* of the relay in one of the loop's */

/* ---- in and out of the multi handle ---- */

static void link_in(struct hedge *hedge)
{
    if (!hedge->loop)
        return;
    hedge->after = hedge->loop->hedges;
    hedge->loop->hedges = hedge;
}

static void unlink_from(struct hedge *hedge)
{
    if (!hedge->loop)
        return;
    for (struct hedge **at = &hedge->loop->hedges; *at; at = &(*at)->after)
        if (*at == hedge) {
            *at = hedge->after;
            return;
        }
}

static CURLMcode put_in(struct hedge *hedge)
{
    CURLMcode code = hedge->loop ? multi_give(hedge->loop, hedge->twin)
                                 : hedge->libcurl->multi_add_handle(hedge->real, hedge->twin);

    hedge->is_in = code == CURLM_OK;
    return code;
}

/* False: libcurl is at work there, or was when the program left it by longjmp. */
static bool take_out(struct hedge *hedge)
{
    struct quiet quiet = quiet_begin();

    if (hedge->is_in)
        hedge->is_in =
            (hedge->loop ? multi_take_back(hedge->loop, hedge->twin)
                         : hedge->libcurl->multi_remove_handle(hedge->real, hedge->twin)) != CURLM_OK;
    quiet_end(&quiet);
    return !hedge->is_in;
}

static void free_hedge(struct hedge *hedge)
{
    unlink_from(hedge);
    if (!take_out(hedge)) /* it must stay where it is, and so must what its callbacks are given */
        return;
    twin_free(hedge->libcurl, hedge->twin, &hedge->given);
    relay_clear(&hedge->relay);
    free(hedge);
}

void hedge_drop(struct call *call)
{
    struct hedge *hedge = call->hedge;

    call->hedge_due_us = 0;
    if (!hedge)
        return;
    call->hedge = NULL;
    hedge->call = NULL;
    race_over(&call->gate);
    if (!hedge->loop || !hedge->loop->is_draining)
        free_hedge(hedge);
}

struct hedge *hedge_of(const struct multi *loop, const CURL *twin)
{
    struct hedge *hedge = loop->hedges;

    while (hedge && hedge->twin != twin)
        hedge = hedge->after;
    return hedge;
}

unsigned hedge_count(const struct multi *loop)
{
    unsigned count = 0;

    for (const struct hedge *hedge = loop->hedges; hedge; hedge = hedge->after)
        count += hedge->is_in;
    return count;
}

void hedge_sweep(struct multi *loop)
{
    struct hedge *after;

    for (struct hedge *hedge = loop->hedges; hedge; hedge = after) {
        after = hedge->after;
        if (!hedge->call)
            free_hedge(hedge);
    }
}

/* ---- the twin's reply ---- */

/* No other block can follow, or this is what comes instead of one. */
static void answers(struct hedge *hedge)
{
    hedge->phase = HEDGE_ANSWERED;
    relay_settle(&hedge->relay, hedge->method);
}

static size_t take_line(char *line, size_t one, size_t count, void *data)
{
    struct hedge *hedge = data;
    bool ends = relay_line(&hedge->relay, line, one * count);
    int status = hedge->relay.block.status;

    if (ends && hedge->phase == HEDGE_ASKS && status >= 200 && status != 401 && status != 407)
        answers(hedge);
    return one * count;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *data)
{
    struct hedge *hedge = data;

    if (hedge->phase == HEDGE_ASKS)
        answers(hedge);
    if (relay_body(&hedge->relay, bytes, one * count))
        return one * count;
    if (!hedge->relay.has_room)
        return 0;
    hedge->is_paused = true;
    return CURL_WRITEFUNC_PAUSE;
}

void hedge_ended(struct hedge *hedge, CURLcode code)
{
    hedge->has_ended = true;
    hedge->code = code;
    if (hedge->phase == HEDGE_ASKS && code == CURLE_OK)
        answers(hedge);
    take_out(hedge);
}

/* ---- it begins ---- */

/* Where a transfer goes may be an http URL that libcurl has made an https one of, by HSTS. */
static bool is_by_tls(const struct libcurl *libcurl, CURL *easy)
{
    const char *asked = NULL;

    libcurl->easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &asked);
    return asked && strncasecmp(asked, "https:", 6) == 0;
}

/* Whether the loop has room for a handle that the program does not know. */
static bool may_join(const struct call *call)
{
    const struct multi *loop = call->handle->seat.multi;
    return call->deadline.loop_looks_us && !call->deadline.may_queue && !(loop && loop->shows_handles);
}

void hedge_attempt(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    hedge_drop(call);
    if (!may_join(call))
        return;
    uint64_t due_us = race_due_us(&call->gate);
    if (!due_us || !twin_is_fit(call))
        return;
    call->hedge_due_us = due_us;
    *deadline->loop_looks_us = limits_earlier_us(*deadline->loop_looks_us, call->hedge_due_us);
}

/* The nearest of the limits that hold for an attempt which begins now. */
static uint64_t end_us(const struct call *call, uint64_t now_us)
{
    const struct policy_timeouts *limits = call_limits(call);
    uint64_t reply_us = limits && limits->attempt_ms
                            ? now_us + ((uint64_t)limits->connect_ms + limits->attempt_ms) * 1000
                            : 0;
    return limits_earlier_us(reply_us, call->gate.deadline_us);
}

static struct hedge *make(struct call *call, CURLM *real, uint64_t now_us)
{
    struct hedge *hedge = calloc(1, sizeof *hedge);
    const struct twin_listener listener = {take_line, take_body, hedge, hedge ? hedge->error : NULL};

    if (!hedge)
        return NULL;
    hedge->twin = twin_new(call, &listener, &hedge->given, end_us(call, now_us));
    if (!hedge->twin) {
        free(hedge);
        return NULL;
    }
    hedge->call = call;
    hedge->libcurl = call->handle->libcurl;
    hedge->real = real;
    hedge->loop = call->handle->seat.multi;
    hedge->method = call->method;
    hedge->first_us = call->deadline.attempt_started_us;
    hedge->began_us = now_us;
    relay_init(&hedge->relay);
    link_in(hedge);
    return hedge;
}

/* Of a proxy's answer to CONNECT, a block like others, libcurl makes no status. */
static bool has_answered(const struct call *call)
{
    const struct handle *handle = call->handle;
    long status = 0;

    if (call->reply.block.status)
        handle->libcurl->easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
    return status != 0;
}

/* What other handles of a share have learnt of the host by HSTS no twin knows. */
static bool is_upgraded(const struct call *call)
{
    enum target_scheme scheme;

    redirect_origin(call, &scheme);
    return call->handle->words[HANDLES_SHARE] && scheme == TARGET_HTTP &&
           is_by_tls(call->handle->libcurl, call->handle->easy);
}

/* Nothing of the first attempt's reply has come, and the handle still is set to its request. */
static bool is_wanted(const struct call *call)
{
    return !call->made && !call->gate.attempt_ended && call->reply.phase == REPLY_HOLDING &&
           !has_answered(call) && !call->deadline.paused_us && call_is_unchanged(call) && may_join(call) &&
           !is_upgraded(call);
}

void hedge_look(struct call *call, CURLM *real, uint64_t now_us)
{
    if (now_us < call->hedge_due_us) {
        if (call->deadline.loop_looks_us)
            *call->deadline.loop_looks_us =
                limits_earlier_us(*call->deadline.loop_looks_us, call->hedge_due_us);
        return;
    }
    call->hedge_due_us = 0;
    if (!is_wanted(call) || !race_begins(&call->gate))
        return;
    call->hedge = make(call, real, now_us);
    if (!call->hedge)
        race_over(&call->gate);
    else if (put_in(call->hedge) != CURLM_OK)
        hedge_drop(call);
}

/* ---- who is first ---- */

/* What libcurl would act upon where the program's handle gets it, and could not from there; and a head that
 * is too long to be relayed. */
static bool is_unfit(const struct call *call, const struct relay *relay)
{
    const struct block *block = &relay->block;

    return !relay->has_room || block->status < 200 || block->status == 401 || block->status == 407 ||
           (block->status / 100 == 3 && block->has_location && call->handle->words[HANDLES_FOLLOWLOCATION]);
}

static bool is_failure(const struct call *call, int status)
{
    struct outcome outcome = outcome_of_status(status);
    return race_is_lost_by(&call->gate, &outcome);
}

static bool may_use_proxy(const struct call *call)
{
    enum target_scheme scheme;
    const struct place *place = redirect_origin(call, &scheme);

    return proxy_may_be_used(call->handle, scheme, place);
}

static struct gate_attempt attempt_of(const struct hedge *hedge)
{
    const struct call *call = hedge->call;
    long os_error = 0;
    struct gate_attempt attempt = {.outcome = outcome_of_curl((int)hedge->code),
                                   .method = call->method,
                                   .sent = true,
                                   .retry_after_ms = hedge->relay.block.retry_after_ms};

    if (hedge->phase == HEDGE_ANSWERED && (!hedge->has_ended || hedge->code == CURLE_OK))
        attempt.outcome = outcome_of_status(hedge->relay.block.status);
    if (hedge->code == CURLE_COULDNT_CONNECT)
        hedge->libcurl->easy_getinfo(hedge->twin, CURLINFO_OS_ERRNO, &os_error);
    attempt.outcome.os_error = (uint16_t)os_error;
    if (attempt.outcome.type == OUTCOME_TIMEOUT && call->gate.deadline_us &&
        clock_now_us() >= call->gate.deadline_us)
        attempt.outcome.type = OUTCOME_LOCAL;
    attempt.is_elsewhere =
        attempt.outcome.type != OUTCOME_SUCCESS && !attempt.outcome.status && may_use_proxy(call);
    return attempt;
}

/* The twin has failed while the first attempt is under way. */
static void lose(struct call *call)
{
    struct gate_attempt attempt = attempt_of(call->hedge);

    if (attempt.outcome.type != OUTCOME_SUCCESS)
        race_lost(&call->gate, &attempt);
    hedge_drop(call);
}

static enum hedge_stand stands_beside(struct call *call)
{
    const struct hedge *hedge = call->hedge;
    const struct reply *reply = &call->reply;
    bool has_failed = hedge->has_ended && hedge->code != CURLE_OK;
    bool is_lost = hedge->phase == HEDGE_ANSWERED &&
                   (is_unfit(call, &hedge->relay) || is_failure(call, hedge->relay.block.status));

    if (reply->phase == REPLY_SWALLOWING) /* it was promised to be the next attempt, whatever comes of it */
        return HEDGE_GOES_ON;
    if (reply_has_reached_program(reply))
        hedge_drop(call);
    else if (has_failed || is_lost)
        lose(call);
    else if (hedge->phase == HEDGE_ANSWERED && reply->phase == REPLY_HOLDING &&
             (reply->block.status < 200 || !has_answered(call)) && call_is_unchanged(call))
        return HEDGE_WON;
    return HEDGE_GOES_ON;
}

/* It has ended the call: what libcurl says of it is said to the program. */
static void tell_error(const struct call *call)
{
    char *buffer = handles_pointer(call->handle, HANDLES_ERRORBUFFER);

    if (buffer)
        memcpy(buffer, call->hedge->error, sizeof call->hedge->error);
}

static enum hedge_stand stands_alone(struct call *call)
{
    const struct hedge *hedge = call->hedge;

    if (hedge->has_ended && hedge->code != CURLE_OK) {
        tell_error(call);
        return HEDGE_FAILED;
    }
    if (hedge->phase != HEDGE_ANSWERED)
        return HEDGE_GOES_ON;
    if (!is_unfit(call, &hedge->relay) && call_is_unchanged(call))
        return HEDGE_WON;
    hedge_drop(call);
    race_is_void(&call->gate);
    return HEDGE_IS_UNFIT;
}

enum hedge_stand hedge_stands(struct call *call)
{
    if (call->hedge->phase == HEDGE_RELAYS)
        return HEDGE_GOES_ON;
    return call->hedge->is_awaited ? stands_alone(call) : stands_beside(call);
}

/* ---- it takes over ---- */

/* The URL that the twin has asked, by plain http: cookies and what is relative to it are as they would be. */
static char *plain_url(const struct hedge *hedge)
{
    const struct libcurl *libcurl = hedge->libcurl;
    CURLU *parts = libcurl->url();
    char *url = NULL, *asked = NULL;

    libcurl->easy_getinfo(hedge->twin, CURLINFO_EFFECTIVE_URL, &asked);
    if (parts && asked && libcurl->url_set(parts, CURLUPART_URL, asked, 0) == CURLUE_OK &&
        libcurl->url_set(parts, CURLUPART_SCHEME, "http", 0) == CURLUE_OK &&
        libcurl->url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
        libcurl->url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK)
        libcurl->url_get(parts, CURLUPART_URL, &url, 0);
    libcurl->url_cleanup(parts);
    return url;
}

/* What the first attempt's proxy has answered to CONNECT: it is the program's, whoever answers the request.
 */
static size_t held_of_proxy(const struct call *call)
{
    const struct reply *reply = &call->reply;
    bool is_of_proxy = reply->phase == REPLY_HOLDING && reply->block.has_ended && !has_answered(call);

    return is_of_proxy ? reply->length : 0;
}

bool hedge_takes_over(struct call *call)
{
    struct hedge *hedge = call->hedge;
    size_t of_proxy = held_of_proxy(call);
    char *url = plain_url(hedge);

    twin_give_cookies(call, hedge->twin, &hedge->given); /* while it has its jar, or the one that it shares */
    bool is_made = relay_begin(&hedge->relay, call, url, is_by_tls(hedge->libcurl, hedge->twin));

    hedge->libcurl->free(url);
    if (!is_made) {
        hedge_drop(call);
        return false;
    }
    hedge->phase = HEDGE_RELAYS;
    race_won(&call->gate);
    told_of_other(call->handle, hedge->twin, hedge->began_us - hedge->first_us);
    twin_unlimit(call, hedge->twin);
    reply_attempt(call);
    call->reply.length = of_proxy;
    deadline_takes_over(call);
    call->sent = call->hop_sent = call->was_sent = true;
    hedge_serve(call);
    return true;
}

void hedge_serve(struct call *call)
{
    struct hedge *hedge = call->hedge;

    if (!hedge || hedge->phase != HEDGE_RELAYS)
        return;
    for (int turns = 0; turns < TURNS_MOST && relay_flush(&hedge->relay, call); turns++) {
        if (hedge->has_ended) {
            relay_close(&hedge->relay, call, hedge->code == CURLE_OK);
            return;
        }
        if (!hedge->is_paused)
            return;
        hedge->is_paused = false;
        hedge->libcurl->easy_pause(hedge->twin, CURLPAUSE_CONT);
    }
}

void hedge_await(struct call *call)
{
    race_goes_on(&call->gate);
    call->hedge->is_awaited = true;
    reply_attempt(call);
}

bool hedge_is_awaited(const struct call *call)
{
    return call->hedge && call->hedge->is_awaited && call->hedge->phase != HEDGE_RELAYS;
}

static int64_t info_of(const struct handle *handle, CURLINFO info)
{
    curl_off_t number = 0;

    handle->libcurl->easy_getinfo(handle->easy, info, &number);
    return number;
}

/* What the relay makes of a reply that breaks off is its end before it is whole. */
static bool has_broken_off(const struct call *call, CURLcode code)
{
    const struct hedge *hedge = call->hedge;

    return hedge->has_ended && hedge->code != CURLE_OK && !call->reply.program_refused &&
           (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR);
}

CURLcode hedge_transfer_ends(struct call *call, CURLcode code)
{
    struct handle *handle = call->handle;

    call->hedge_due_us = 0;
    if (!call->hedge || hedge_is_awaited(call))
        return code;
    if (call->hedge->phase == HEDGE_RELAYS) {
        if (has_broken_off(call, code)) {
            code = call->hedge->code;
            tell_error(call);
        }
        told_of_other(handle, call->hedge->twin, call->hedge->began_us - call->hedge->first_us);
        told_whole(handle, (uint64_t)info_of(handle, CURLINFO_SIZE_DOWNLOAD_T),
                   info_of(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T), call->hedge->first_us,
                   code == CURLE_OK);
        made_end(handle);
    }
    if (call->hedge->phase == HEDGE_RELAYS || reply_has_reached_program(&call->reply))
        hedge_drop(call);
    return code;
}
