#include "curl/multi.h"

#include <stdlib.h>

#include "curl/limits.h"
#include "curl/made.h"
#include "curl/registry.h"
#include "curl/rehearse.h"
#include "curl/request.h"
#include "curl/routine.h"
#include "curl/substitute.h"
#include "curl/told.h"
#include "curl/transfer.h"
#include "sys/clock.h"

enum { PROGRESS_US = 100000 };

static struct registry multis = REGISTRY_INIT(multis);

_Thread_local struct multi_memory multi_last __attribute__((tls_model("initial-exec")));
_Atomic unsigned multi_gone;

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

static void sit_down(struct handle *handle, struct multi *multi)
{
    struct seat *seat = &handle->seat;

    seat->multi = multi;
    seat->place = SEAT_NEW;
    seat->before = NULL;
    seat->after = multi->handles;
    if (seat->after)
        seat->after->seat.before = handle;
    multi->handles = handle;
    multi->count[SEAT_NEW]++;
}

static void unlink_seat(struct handle *handle)
{
    struct seat *seat = &handle->seat;
    struct multi *multi = seat->multi;

    if (seat->before)
        seat->before->seat.after = seat->after;
    else
        multi->handles = seat->after;
    if (seat->after)
        seat->after->seat.before = seat->before;
    multi->count[seat->place]--;
    seat->multi = NULL;
}

static void move_seat(struct handle *handle, enum seat_place place)
{
    struct seat *seat = &handle->seat;

    seat->multi->count[seat->place]--;
    seat->multi->count[place]++;
    seat->place = place;
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
    deadline_leaves_loop(handle->call);
    transfer_close(handle->call);
}

static void stand_up(struct handle *handle)
{
    struct multi *multi = handle->seat.multi;

    if (is_ours(handle))
        close_call(handle);
    if (handle->seat.message.is_queued || multi->messages.strangers)
        messages_drop(&multi->messages, handle->easy);
    unlink_seat(handle);
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
    multi->looks_us = limits_earlier_us(multi->looks_us, handle->seat.due_us);
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

/*
 * Where the program's connections are limited, a refused call would wait in libcurl's queue for one that it
 * does not need. It cannot connect, so that it is over at once beside the loop.
 */
static void refuse_beside(struct handle *handle)
{
    if (handle->seat.place == SEAT_RUNS)
        take_back(handle->seat.multi, handle->easy);
    CURLcode code = handle->libcurl->easy_perform(handle->easy);
    finish(handle, transfer_refused(handle->call, &handle->seat.refusal, code));
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
    if (verdict.kind == VERDICT_WAIT || verdict.kind == VERDICT_LATER) {
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
        if (handle->seat.multi->may_queue) {
            refuse_beside(handle);
            return;
        }
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
static __attribute__((noinline)) void open_call(struct handle *handle)
{
    told_forget(handle);
    handle->is_routine = handle->seat.is_routine = false;
    struct call *call = gate_ready(true) ? transfer_open(handle) : NULL;

    if (!call) {
        request_undress(handle);
        move_seat(handle, SEAT_PLAIN);
        return;
    }
    move_seat(handle, SEAT_RUNS);
    deadline_enters_loop(call, &handle->seat.multi->looks_us, handle->seat.multi->may_queue);
    go_on(handle);
}

/* A call like the one before it (curl/routine.h) is opened, admitted and dressed at once. */
static bool open_routine(struct handle *handle)
{
    struct seat *seat = &handle->seat;

    if (!handle->is_settled || seat->multi->may_queue ||
        !(seat->is_routine || routine_follows(handle, true)) || !routine_begins(handle->call))
        return false;
    seat->is_routine = true;
    handle->is_routine = false; /* that is curl_easy_perform's */
    move_seat(handle, SEAT_RUNS);
    deadline_repeats_in_loop(handle->call, &seat->multi->looks_us);
    return true;
}

static void open_new(struct multi *multi)
{
    struct handle *next;

    for (struct handle *handle = multi->handles; handle && handle->seat.place == SEAT_NEW; handle = next) {
        next = handle->seat.after;
        if (!open_routine(handle))
            open_call(handle);
    }
}

/* libcurl says that the handle's transfer has ended. */
static __attribute__((noinline)) void judge(struct handle *handle, CURLcode code)
{
    struct call *call = handle->call;

    handle->seat.is_routine = false;
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

/* Its first attempt was all that was opened and admitted at once, and it ended well. */
static bool was_routine(struct handle *handle, CURLcode code)
{
    struct call *call = handle->call;

    if (!call->gate.is_repeat || call->gate.attempt != 1 || !routine_ends(call, code))
        return false;
    handle->seat.is_routine &= !call->inject.is_silent;
    deadline_leaves_loop(call);
    return true;
}

static void take_message(struct multi *multi, const CURLMsg *message)
{
    struct handle *handle = handles_find(message->easy_handle);

    if (!handle || handle->seat.multi != multi)
        messages_put_stranger(&multi->messages, message);
    else if (message->msg != CURLMSG_DONE || handle->seat.place != SEAT_RUNS)
        messages_put(&multi->messages, &handle->seat.message, message);
    else if (was_routine(handle, message->data.result))
        deliver(handle, message->data.result);
    else
        judge(handle, message->data.result);
}

/*
 * Where nothing of ours runs or has ended, messages stay with libcurl; so they do while there is no memory to
 * keep them.
 */
static bool keeps_messages(struct multi *multi)
{
    return (multi->count[SEAT_RUNS] || multi->messages.count) && messages_have_spare(&multi->messages);
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

/* The program's timer is set to what is nearest now. Returns false when its function failed. */
static bool tell_timer(struct multi *multi)
{
    if (!multi->count[SEAT_RUNS] && !multi->count[SEAT_PARKED])
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
    for (struct handle *handle = multi->handles; handle; handle = next) {
        next = handle->seat.after;
        if (handle->seat.place == SEAT_PARKED && transfer_is_stopped(handle))
            finish(handle, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void look_at_running(struct handle *handle, uint64_t now_us)
{
    if (!handle->call->gate.shadow && !handle->is_refused && !made_is_last_word(handle->call) &&
        deadline_look(handle->call, now_us))
        handle->seat.multi->must_run_all = true;
}

static void look_at_parked(struct handle *handle, uint64_t now_us)
{
    struct multi *multi = handle->seat.multi;

    if (now_us >= handle->seat.due_us)
        go_on(handle);
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

bool multi_arrive(struct multi *multi)
{
    if (multi->is_busy)
        return false;
    multi->is_busy = true;
    multi->came_us = 0;
    if (multi->count[SEAT_NEW])
        open_new(multi);
    if (multi->looks_us)
        come_by(multi);
    return true;
}

/* What libcurl has sent must not fill the socket. */
static void serve(struct multi *multi)
{
    multi->is_serving = false;
    for (struct handle *handle = multi->handles; handle; handle = handle->seat.after)
        if (handle->seat.place == SEAT_RUNS && handle->call->made) {
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
    if (multi->alarm.timer && !multi->count[SEAT_PARKED])
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
    sit_down(handle, multi);
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
