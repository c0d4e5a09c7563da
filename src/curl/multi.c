#include "curl/multi.h"

#include <stdlib.h>

#include "curl/made.h"
#include "curl/registry.h"
#include "curl/rehearse.h"
#include "curl/request.h"
#include "curl/substitute.h"
#include "curl/told.h"
#include "curl/transfer.h"
#include "sys/clock.h"

enum { PROGRESS_US = 100000 };

static struct registry multis = REGISTRY_INIT(multis);

_Thread_local struct multi_memory multi_last __attribute__((tls_model("initial-exec")));
_Atomic unsigned multi_gone;

static uint64_t earlier(uint64_t a_us, uint64_t b_us)
{
    if (!a_us || !b_us)
        return a_us ? a_us : b_us;
    return a_us < b_us ? a_us : b_us;
}

/* ---- birth and seats ---- */

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

static void unlink_seat(struct handle *handle)
{
    struct seat *seat = &handle->seat;
    struct multi *multi = seat->multi;

    if (seat->before)
        seat->before->seat.after = seat->after;
    else
        multi->seats[seat->place] = seat->after;
    if (seat->after)
        seat->after->seat.before = seat->before;
    multi->count[seat->place]--;
}

static void link_seat(struct handle *handle, enum seat_place place)
{
    struct seat *seat = &handle->seat;
    struct multi *multi = seat->multi;

    seat->place = place;
    seat->before = NULL;
    seat->after = multi->seats[place];
    if (seat->after)
        seat->after->seat.before = handle;
    multi->seats[place] = handle;
    multi->count[place]++;
}

static void move_seat(struct handle *handle, enum seat_place place)
{
    unlink_seat(handle);
    link_seat(handle, place);
}

/* While libcurl has the word, whoever comes to the multi handle is a callback. Returns what was before. */
static bool hand_over(struct multi *multi)
{
    bool was_busy = multi->is_busy;
    multi->is_busy = true;
    return was_busy;
}

static CURLMcode give(struct multi *multi, CURL *easy)
{
    bool was_busy = hand_over(multi);
    CURLMcode code = multi->libcurl->multi_add_handle(multi->real, easy);
    multi->is_busy = was_busy;
    return code;
}

static CURLMcode take_back(struct multi *multi, CURL *easy)
{
    bool was_busy = hand_over(multi);
    CURLMcode code = multi->libcurl->multi_remove_handle(multi->real, easy);
    multi->is_busy = was_busy;
    return code;
}

static bool is_ours(const struct handle *handle)
{
    return handle->seat.place == SEAT_RUNS || handle->seat.place == SEAT_PARKED;
}

/* The call is over, or given up. What it held of the handle stays dressed for the next one. */
static void close_call(struct handle *handle)
{
    if (handle->is_refused)
        request_refused(handle);
    made_end(handle);
    handle->seat.is_admitted = false;
    handle->call->is_replaced = false;
    handle->call->deadline.loop_looks_us = NULL;
    handle->call->deadline.may_queue = false;
    handle->call->deadline.queued_us = 0;
    transfer_close(handle->call);
}

static void stand_up(struct handle *handle)
{
    struct multi *multi = handle->seat.multi;

    if (is_ours(handle))
        close_call(handle);
    messages_drop(&multi->messages, handle->easy);
    unlink_seat(handle);
    handle->seat.multi = NULL;
}

/* ---- the course of a call ---- */

static void deliver(struct handle *handle, CURLcode code)
{
    struct multi *multi = handle->seat.multi;
    CURLMsg message = {.msg = CURLMSG_DONE, .easy_handle = handle->easy, .data.result = code};

    messages_put(&multi->messages, &handle->seat.message, &message);
    move_seat(handle, SEAT_PLAIN);
}

static void finish(struct handle *handle, CURLcode code)
{
    close_call(handle);
    deliver(handle, code);
}

/* libcurl gives the handle back until the call is due. */
static void park(struct handle *handle, uint32_t wait_ms)
{
    struct multi *multi = handle->seat.multi;

    if (handle->seat.place == SEAT_RUNS)
        take_back(multi, handle->easy);
    handle->seat.due_us = clock_now_us() + (uint64_t)wait_ms * 1000;
    multi->looks_us = earlier(multi->looks_us, handle->seat.due_us);
    move_seat(handle, SEAT_PARKED);
}

/* Gives the handle to libcurl, where it is not there yet. */
static void run(struct handle *handle)
{
    struct multi *multi = handle->seat.multi;

    if (handle->seat.place == SEAT_RUNS)
        return;
    if (give(multi, handle->easy) != CURLM_OK)
        finish(handle, CURLE_OUT_OF_MEMORY);
    else
        move_seat(handle, SEAT_RUNS);
}

static void run_made(struct handle *handle)
{
    handle->seat.multi->is_serving = true;
    run(handle);
}

/* The call's last verdict said that its tries ran out. */
static void replace(struct handle *handle)
{
    struct call *call = handle->call;

    if (substitute_failure(call, &call->gate.last))
        run_made(handle);
    else
        finish(handle, call->lost);
}

/* The (next) attempt, where the gate lets it. */
static void go_on(struct handle *handle)
{
    struct call *call = handle->call;
    struct verdict verdict = {.kind = VERDICT_GO};

    if (call->is_replaced) {
        replace(handle);
        return;
    }
    if (!handle->seat.is_admitted)
        verdict = gate_admit(&call->gate, true);
    handle->seat.is_admitted = verdict.kind == VERDICT_WAIT;
    if (call->gate.shadow)
        return;
    if (verdict.kind == VERDICT_WAIT) {
        park(handle, verdict.wait_ms);
        return;
    }
    if (verdict.kind == VERDICT_REFUSE && substitute_refusal(call, &verdict)) {
        run_made(handle);
        return;
    }
    if (verdict.kind == VERDICT_REFUSE) {
        request_refuse(handle);
        handle->seat.refusal = verdict;
    } else if (!request_dress(call)) {
        finish(handle, CURLE_SEND_FAIL_REWIND);
        return;
    } else if (call->gate.fault) {
        rehearse_attempt(call);
    }
    if (call->made)
        run_made(handle);
    else
        run(handle);
}

/* A program may add a handle first and set its options after, so the rule is searched when the loop first
 * comes by. */
static void open_call(struct handle *handle)
{
    told_forget(handle);
    struct call *call = gate_ready(true) ? transfer_open(handle) : NULL;

    if (!call) {
        request_undress(handle);
        move_seat(handle, SEAT_PLAIN);
        return;
    }
    move_seat(handle, SEAT_RUNS);
    call->deadline.loop_looks_us = &handle->seat.multi->looks_us;
    call->deadline.may_queue = handle->seat.multi->may_queue;
    go_on(handle);
}

/* libcurl says that the handle's transfer has ended. */
static void judge(struct handle *handle, CURLcode code)
{
    struct call *call = handle->call;

    if (call->gate.shadow) {
        transfer_watched(call, code);
    } else if (made_is_last_word(call)) {
        finish(handle, code);
        return;
    } else if (handle->is_refused && !call->gate.fault) {
        code = transfer_refused(call, &handle->seat.refusal, code);
    } else {
        if (call->gate.fault)
            code = rehearse_ended(call, code);
        struct verdict verdict = transfer_ended(call, &code);
        call->is_replaced = verdict.kind == VERDICT_REPLACE;
        call->lost = transfer_lost(code);
        if (verdict.kind == VERDICT_AGAIN || call->is_replaced) {
            park(handle, verdict.wait_ms);
            return;
        }
    }
    finish(handle, code);
}

static void take_message(struct multi *multi, const CURLMsg *message)
{
    struct handle *handle = handles_find(message->easy_handle);

    if (!handle || handle->seat.multi != multi) {
        messages_put_stranger(&multi->messages, message);
    } else if (message->msg == CURLMSG_DONE && handle->seat.place == SEAT_RUNS) {
        judge(handle, message->data.result);
    } else {
        messages_put(&multi->messages, &handle->seat.message, message);
    }
}

/*
 * Where nothing of ours runs or has ended, messages stay with libcurl; so they do while there is no memory to
 * keep them.
 */
static bool keeps_messages(struct multi *multi)
{
    return (multi->count[SEAT_RUNS] || multi->messages.count) && messages_have_spare(&multi->messages);
}

static void drain(struct multi *multi)
{
    bool was_busy = hand_over(multi);
    int left;

    multi->is_drained = false;
    while (keeps_messages(multi)) {
        const CURLMsg *message = multi->libcurl->multi_info_read(multi->real, &left);
        multi->is_drained = !message;
        if (!message)
            break;
        CURLMsg kept = *message;
        take_message(multi, &kept);
    }
    multi->is_busy = was_busy;
}

/* The program's timer is set to what is nearest now. Returns false when its function failed. */
static bool tell_timer(struct multi *multi)
{
    if (!multi->seats[SEAT_RUNS] && !multi->seats[SEAT_PARKED])
        multi->looks_us = 0;
    return !multi->alarm.function || alarm_tell(&multi->alarm, multi->real, multi->looks_us);
}

/* ---- the loop comes by ---- */

static void ask_progress(struct multi *multi, uint64_t now_us)
{
    struct handle *next;

    if (now_us < multi->progress_us + PROGRESS_US)
        return;
    multi->progress_us = now_us;
    for (struct handle *handle = multi->seats[SEAT_PARKED]; handle; handle = next) {
        next = handle->seat.after;
        if (transfer_is_stopped(handle))
            finish(handle, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void look(struct multi *multi, uint64_t now_us)
{
    struct handle *next;

    multi->looks_us = 0;
    for (struct handle *handle = multi->seats[SEAT_RUNS]; handle; handle = handle->seat.after)
        if (!handle->call->gate.shadow && !handle->is_refused && !made_is_last_word(handle->call) &&
            deadline_look(handle->call, now_us))
            multi->must_run_all = true;
    for (struct handle *handle = multi->seats[SEAT_PARKED]; handle; handle = next) {
        next = handle->seat.after;
        if (now_us >= handle->seat.due_us)
            go_on(handle);
        else
            multi->looks_us = earlier(multi->looks_us, handle->seat.due_us);
    }
}

bool multi_arrive(struct multi *multi)
{
    if (multi->is_busy)
        return false;
    multi->is_busy = true;
    while (multi->seats[SEAT_NEW])
        open_call(multi->seats[SEAT_NEW]);
    multi->came_us = 0;
    if (!multi->looks_us)
        return true;
    uint64_t now_us = multi->came_us = clock_now_us();
    if (multi->seats[SEAT_PARKED])
        ask_progress(multi, now_us);
    if (now_us >= multi->looks_us)
        look(multi, now_us);
    return true;
}

/* What libcurl has sent must not fill the socket. */
static void serve(struct multi *multi)
{
    multi->is_serving = false;
    for (struct handle *handle = multi->seats[SEAT_RUNS]; handle; handle = handle->seat.after)
        if (handle->call->made) {
            made_serve(handle->call);
            multi->is_serving = true;
        }
}

CURLMcode multi_depart(struct multi *multi, CURLMcode code, int *running)
{
    drain(multi);
    if (multi->is_serving)
        serve(multi);
    if (running)
        *running += (int)multi->count[SEAT_PARKED];
    if (!multi->seats[SEAT_PARKED] && multi->alarm.timer)
        alarm_descriptor(&multi->alarm, 0);
    if (!tell_timer(multi) && code == CURLM_OK)
        code = CURLM_ABORTED_BY_CALLBACK;
    multi->is_busy = false;
    return code;
}

/* ---- what the program asks of the handle ---- */

/* A handle has gone, and its moments with it: the program's timer may outlive its multi handle. */
static bool settle(struct multi *multi)
{
    bool was_busy = hand_over(multi), is_well = tell_timer(multi);
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
    CURLMcode code = give(multi, easy);
    if (code != CURLM_OK || !handle)
        return code;
    if (handle->seat.multi)
        stand_up(handle);
    handle->seat.multi = multi;
    link_seat(handle, SEAT_NEW);
    return code;
}

CURLMcode multi_leave(struct multi *multi, CURL *easy)
{
    struct handle *handle = handles_find(easy);
    CURLMcode code = CURLM_OK;

    if (!handle || handle->seat.multi != multi) {
        code = take_back(multi, easy);
        if (code == CURLM_OK)
            messages_drop(&multi->messages, easy);
        return code;
    }
    if (multi->is_busy)
        return CURLM_RECURSIVE_API_CALL;
    if (handle->seat.place != SEAT_PARKED)
        code = take_back(multi, easy);
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
    if (multi->is_busy) /* from a callback of its own */
        return CURLM_RECURSIVE_API_CALL;
    multi->is_busy = true;
    for (int place = 0; place < SEAT_PLACES; place++)
        while (multi->seats[place])
            stand_up(multi->seats[place]);
    registry_remove(&multis, multi->real);
    atomic_fetch_add_explicit(&multi_gone, 1, memory_order_release);
    CURLMcode code = multi->libcurl->multi_cleanup(multi->real);
    alarm_descriptor(&multi->alarm, 0);
    messages_clear(&multi->messages);
    free(multi);
    return code;
}
