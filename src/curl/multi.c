#include "curl/multi.h"

#include <stdlib.h>

#include "curl/course.h"
#include "curl/registry.h"

static struct registry multis = REGISTRY_INIT(multis);

_Thread_local struct multi_memory multi_last __attribute__((tls_model("initial-exec")));
_Atomic unsigned multi_gone;

void multi_add(CURLM *real, const struct libcurl *libcurl)
{
    struct multi *multi = calloc(1, sizeof *multi);

    if (!multi)
        return;
    multi->real = real;
    multi->libcurl = libcurl;
    if (!registry_put(&multis, real, multi))
        free(multi);
}

struct multi *multi_find_again(CURLM *real)
{
    unsigned gone = atomic_load_explicit(&multi_gone, memory_order_acquire);
    struct multi *multi = registry_find(&multis, real);

    if (multi)
        multi_last = (struct multi_memory){real, multi, gone};
    return multi;
}

/* While libcurl has the word, whoever comes to the multi handle is a callback. Returns what was before. */
static bool hand_over(struct multi *multi)
{
    bool was_busy = multi->is_busy;
    multi->is_busy = true;
    return was_busy;
}

CURLMcode multi_give(struct multi *multi, CURL *easy)
{
    bool was_busy = hand_over(multi);
    CURLMcode code = multi->libcurl->multi_add_handle(multi->real, easy);
    multi->is_busy = was_busy;
    return code;
}

CURLMcode multi_take_back(struct multi *multi, CURL *easy)
{
    bool was_busy = hand_over(multi);
    CURLMcode code = multi->libcurl->multi_remove_handle(multi->real, easy);
    multi->is_busy = was_busy;
    return code;
}

bool multi_tell_timer(struct multi *multi)
{
    if (!multi->count[SEAT_RUNS] && !multi->count[SEAT_PARKED])
        multi->looks_us = 0;
    return !multi->alarm.function || alarm_tell(&multi->alarm, multi->real, multi->looks_us);
}

/* ---- what the program asks of the handle ---- */

static void stand_up(struct handle *handle)
{
    struct multi *multi = handle->seat.multi;

    course_give_up(handle);
    if (handle->seat.message.is_queued || multi->messages.strangers)
        messages_drop(&multi->messages, handle->easy);
    seat_leave(handle);
}

/* A handle has gone, and its moments with it: the program's timer may outlive its multi handle. */
static bool settle(struct multi *multi)
{
    bool was_busy = hand_over(multi), is_well = multi_tell_timer(multi);
    multi->is_busy = was_busy;
    return is_well;
}

/* libcurl is asked first, because it knows what may not be added. */
CURLMcode multi_join(struct multi *multi, CURL *easy)
{
    struct handle *handle = handles_find(easy);

    if (handle && handle->seat.multi && handle->seat.place == SEAT_PARKED)
        return CURLM_ADDED_ALREADY;
    if (handle && !handle->is_performing)
        pool_stay_out(handle);
    CURLMcode code = multi_give(multi, easy);
    if (code != CURLM_OK || !handle)
        return code;
    if (handle->seat.multi)
        stand_up(handle);
    seat_take(handle, multi);
    return code;
}

CURLMcode multi_leave(struct multi *multi, CURL *easy)
{
    struct handle *handle = handles_find(easy);
    CURLMcode code = CURLM_OK;

    if (!handle || handle->seat.multi != multi) {
        code = multi_take_back(multi, easy);
        if (code == CURLM_OK)
            messages_drop(&multi->messages, easy);
        return code;
    }
    if (multi->is_busy)
        return CURLM_RECURSIVE_API_CALL;
    if (handle->seat.place != SEAT_PARKED)
        code = multi_take_back(multi, easy);
    if (code != CURLM_OK)
        return code;
    stand_up(handle);
    return settle(multi) ? CURLM_OK : CURLM_ABORTED_BY_CALLBACK;
}

CURLMsg *multi_read(struct multi *multi, int *left)
{
    if (multi->is_busy) { /* as libcurl answers a callback */
        *left = 0;
        return NULL;
    }
    CURLMsg *message = messages_take(&multi->messages);
    *left = multi->messages.count;
    if (message || multi->is_drained)
        return message;
    return multi->libcurl->multi_info_read(multi->real, left);
}

void multi_forget(struct handle *handle)
{
    struct multi *multi = handle->seat.multi;

    if (!multi)
        return;
    stand_up(handle);
    settle(multi);
}

/* libcurl's timer, on its way to the program's. */
static int hear_timer(CURLM *real, long timeout_ms, void *data)
{
    struct multi *multi = data;
    return alarm_hears(&multi->alarm, real, timeout_ms, multi->looks_us);
}

CURLMcode multi_setopt(struct multi *multi, CURLMoption option, uint64_t word)
{
    struct alarm *alarm = &multi->alarm;

    if (multi->is_busy)
        return CURLM_RECURSIVE_API_CALL;
    switch ((int)option) {
    case CURLMOPT_TIMERFUNCTION:
        alarm->function = (curl_multi_timer_callback)(uintptr_t)word;
        multi->libcurl->multi_setopt(multi->real, CURLMOPT_TIMERDATA, multi);
        return multi->libcurl->multi_setopt(multi->real, option, alarm->function ? hear_timer : NULL);
    case CURLMOPT_MAX_HOST_CONNECTIONS:
    case CURLMOPT_MAX_TOTAL_CONNECTIONS:
        multi->may_queue |= word != 0;
        break;
    case CURLMOPT_PUSHFUNCTION: /* a pushed stream's handle is a copy of the one that asked */
        multi->shows_handles |= word != 0;
        break;
    case NOTICES_FUNCTION:
    case NOTICES_DATA:
        return notices_setopt(multi, (int)option, word);
    case CURLMOPT_TIMERDATA:
        alarm->data = (void *)(uintptr_t)word;
        return CURLM_OK;
    }
    return multi->libcurl->multi_setopt(multi->real, option, word);
}

/* Its address may be born again on another thread, so it is forgotten first; libcurl's timer is heard to the
 * end. */
CURLMcode multi_cleanup(struct multi *multi)
{
    if (multi->is_busy || multi->notices.is_telling) /* from a callback of its own */
        return CURLM_RECURSIVE_API_CALL;
    multi->is_busy = true;
    while (multi->handles)
        stand_up(multi->handles);
    registry_remove(&multis, multi->real);
    atomic_fetch_add_explicit(&multi_gone, 1, memory_order_release);
    CURLMcode code = multi->libcurl->multi_cleanup(multi->real);
    alarm_descriptor(&multi->alarm, 0);
    messages_clear(&multi->messages);
    free(multi);
    return code;
}
