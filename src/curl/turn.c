#include "curl/turn.h"

#include "curl/call.h"
#include "curl/course.h"
#include "curl/hedge.h"
#include "curl/limits.h"
#include "curl/made.h"
#include "curl/progress.h"
#include "sys/clock.h"

enum { PROGRESS_US = 100000 };

static void open_new(struct multi *multi)
{
    struct handle *next;

    for (struct handle *handle = multi->handles; handle && handle->seat.place == SEAT_NEW; handle = next) {
        next = handle->seat.after;
        course_open(handle);
    }
}

static void ask_progress(struct multi *multi, uint64_t now_us)
{
    struct handle *next;

    if (now_us < multi->progress_us + PROGRESS_US)
        return;
    multi->progress_us = now_us;
    for (struct handle *handle = multi->handles; handle; handle = next) {
        next = handle->seat.after;
        if (handle->seat.place == SEAT_PARKED && progress_stops(handle))
            course_finish(handle, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void look_at_running(struct handle *handle, uint64_t now_us)
{
    if (handle->call->hedge_due_us)
        hedge_look(handle->call, handle->seat.multi->real, now_us);
    if (!handle->call->gate.shadow && !handle->is_refused && !made_is_last_word(handle->call) &&
        deadline_look(handle->call, now_us))
        handle->seat.multi->must_run_all = true;
}

static void look_at_parked(struct handle *handle, uint64_t now_us)
{
    struct multi *multi = handle->seat.multi;

    if (hedge_is_awaited(handle->call)) /* it has an end of its own */
        return;
    if (now_us >= handle->seat.due_us)
        course_goes_on(handle);
    else
        multi->looks_us = limits_earlier_us(multi->looks_us, handle->seat.due_us);
}

static __attribute__((noinline)) void look(struct multi *multi, uint64_t now_us)
{
    struct handle *next;

    multi->looks_us = 0;
    for (struct handle *handle = multi->handles; handle; handle = next) {
        next = handle->seat.after;
        if (handle->seat.place == SEAT_RUNS)
            look_at_running(handle, now_us);
        else if (handle->seat.place == SEAT_PARKED)
            look_at_parked(handle, now_us);
    }
}

static void come_by(struct multi *multi)
{
    uint64_t now_us = multi->came_us = clock_now_us();

    if (multi->count[SEAT_PARKED])
        ask_progress(multi, now_us);
    if (now_us >= multi->looks_us)
        look(multi, now_us);
}

bool turn_begin(struct multi *multi)
{
    if (multi->is_busy || multi->notices.is_telling)
        return false;
    multi->is_busy = true;
    multi->came_us = 0;
    if (multi->count[SEAT_NEW])
        open_new(multi);
    if (multi->looks_us || multi->count[SEAT_PARKED]) /* who waits for a second attempt has no due time */
        come_by(multi);
    return true;
}

static void take_message(struct multi *multi, const CURLMsg *message)
{
    struct handle *handle = handles_find(message->easy_handle);

    struct hedge *hedge = handle ? NULL : hedge_of(multi, message->easy_handle);

    if (hedge)
        hedge_ended(hedge, message->data.result);
    else if (!handle || handle->seat.multi != multi)
        messages_put_stranger(&multi->messages, message);
    else if (message->msg != CURLMSG_DONE || handle->seat.place != SEAT_RUNS)
        messages_put(&multi->messages, &handle->seat.message, message);
    else
        course_ended(handle, message->data.result);
}

/*
 * Where nothing of ours runs or has ended, messages stay with libcurl; so they do while there is no memory to
 * keep them.
 */
static bool keeps_messages(struct multi *multi)
{
    return (multi->count[SEAT_RUNS] || multi->messages.count || multi->hedges) &&
           messages_have_spare(&multi->messages);
}

/* What is read is libcurl's, and good until the handle is taken out. */
static void drain(struct multi *multi)
{
    multi->is_drained = false;
    while (!multi->is_drained && keeps_messages(multi)) {
        int left = 0;
        const CURLMsg *message = multi->libcurl->multi_info_read(multi->real, &left);
        if (message)
            take_message(multi, message);
        multi->is_drained = !left;
    }
}

/* What libcurl has sent must not fill the socket. */
static void serve(struct multi *multi)
{
    multi->is_serving = false;
    for (struct handle *handle = multi->handles; handle; handle = handle->seat.after)
        if (handle->seat.place == SEAT_RUNS && handle->call->made) {
            made_serve(handle->call);
            hedge_serve(handle->call);
            multi->is_serving = true;
        }
}

/*
 * The program is told how many of its own transfers run. libcurl has counted those of ours along that it had
 * when its turn was over: none may go before that is known.
 */
static __attribute__((noinline)) void drain_beside(struct multi *multi, int *running)
{
    struct hedge *after;

    multi->is_draining = true;
    drain(multi);
    multi->is_draining = false;
    unsigned before = multi->count[SEAT_RUNS] + hedge_count(multi);
    hedge_sweep(multi);
    for (struct hedge *hedge = multi->hedges; hedge; hedge = after) {
        after = hedge->after;
        course_races(hedge->call->handle);
    }
    if (running)
        *running += (int)multi->count[SEAT_RUNS] - (int)before;
}

CURLMcode turn_end(struct multi *multi, CURLMcode code, int *running)
{
    if (multi->hedges)
        drain_beside(multi, running);
    else
        drain(multi);
    if (multi->is_serving)
        serve(multi);
    if (running)
        *running += (int)multi->count[SEAT_PARKED];
    if (multi->alarm.timer && !multi->count[SEAT_PARKED])
        alarm_descriptor(&multi->alarm, 0);
    if (!multi_tell_timer(multi) && code == CURLM_OK)
        code = CURLM_ABORTED_BY_CALLBACK;
    multi->is_busy = false;
    if (multi->notices.function)
        notices_tell(multi);
    return code;
}
