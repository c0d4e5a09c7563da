#include "curl/course.h"

#include "curl/hedge.h"
#include "curl/limits.h"
#include "curl/made.h"
#include "curl/multi.h"
#include "curl/rehearse.h"
#include "curl/request.h"
#include "curl/routine.h"
#include "curl/substitute.h"
#include "curl/told.h"
#include "curl/transfer.h"
#include "sys/clock.h"

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

void course_give_up(struct handle *handle)
{
    if (is_ours(handle))
        close_call(handle);
}

static void deliver(struct handle *handle, CURLcode code)
{
    struct multi *multi = handle->seat.multi;
    CURLMsg message = {.msg = CURLMSG_DONE, .easy_handle = handle->easy, .data.result = code};

    messages_put(&multi->messages, &handle->seat.message, &message);
    seat_move(handle, SEAT_PLAIN);
    notices_of_end(handle);
}

void course_finish(struct handle *handle, CURLcode code)
{
    close_call(handle);
    deliver(handle, code);
}

/* libcurl gives the handle back until the call is due. */
static void park(struct handle *handle, uint32_t wait_ms)
{
    struct multi *multi = handle->seat.multi;

    if (handle->seat.place == SEAT_RUNS)
        multi_take_back(multi, handle->easy);
    handle->seat.due_us = clock_now_us() + (uint64_t)wait_ms * 1000;
    multi->looks_us = limits_earlier_us(multi->looks_us, handle->seat.due_us);
    seat_move(handle, SEAT_PARKED);
}

/* Gives the handle to libcurl, where it is not there yet. */
static void run(struct handle *handle)
{
    struct multi *multi = handle->seat.multi;

    if (handle->seat.place == SEAT_RUNS)
        return;
    if (multi_give(multi, handle->easy) != CURLM_OK)
        course_finish(handle, CURLE_OUT_OF_MEMORY);
    else
        seat_move(handle, SEAT_RUNS);
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
        course_finish(handle, call->lost);
}

/*
 * Where the program's connections are limited, a refused call would wait in libcurl's queue for one that it
 * does not need. It cannot connect, so that it is over at once beside the loop.
 */
static void refuse_beside(struct handle *handle)
{
    if (handle->seat.place == SEAT_RUNS)
        multi_take_back(handle->seat.multi, handle->easy);
    CURLcode code = handle->libcurl->easy_perform(handle->easy);
    course_finish(handle, transfer_refused(handle->call, &handle->seat.refusal, code));
}

/* The (next) attempt, where the gate lets it. */
void course_goes_on(struct handle *handle)
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
        course_finish(handle, CURLE_SEND_FAIL_REWIND);
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
        seat_move(handle, SEAT_PLAIN);
        return;
    }
    seat_move(handle, SEAT_RUNS);
    deadline_enters_loop(call, &handle->seat.multi->looks_us, handle->seat.multi->may_queue);
    course_goes_on(handle);
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
    seat_move(handle, SEAT_RUNS);
    deadline_repeats_in_loop(handle->call, &seat->multi->looks_us);
    return true;
}

void course_open(struct handle *handle)
{
    if (!open_routine(handle))
        open_call(handle);
}

/* The attempt failed while a second one is under way, which is the call's from here. */
static void await(struct handle *handle)
{
    if (handle->seat.place == SEAT_RUNS)
        multi_take_back(handle->seat.multi, handle->easy);
    handle->seat.due_us = 0;
    seat_move(handle, SEAT_PARKED);
    hedge_await(handle->call);
}

/* libcurl says that the transfer has ended. */
static __attribute__((noinline)) void judge(struct handle *handle, CURLcode code)
{
    struct call *call = handle->call;

    handle->seat.is_routine = false;
    if (call->gate.shadow) {
        transfer_watched(call, code);
    } else if (made_is_last_word(call)) {
        course_finish(handle, code);
        return;
    } else if (handle->is_refused && !call->gate.fault) {
        code = transfer_refused(call, &handle->seat.refusal, code);
    } else {
        if (call->gate.fault)
            code = rehearse_ended(call, code);
        struct verdict verdict = transfer_ended(call, &code);
        call->is_replaced = verdict.kind == VERDICT_REPLACE;
        call->lost = transfer_lost(code);
        if (verdict.kind == VERDICT_AGAIN && verdict.reason == VERDICT_RACED) {
            await(handle);
            return;
        }
        if (verdict.kind == VERDICT_AGAIN || call->is_replaced) {
            park(handle, verdict.wait_ms);
            return;
        }
    }
    course_finish(handle, code);
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

void course_ended(struct handle *handle, CURLcode code)
{
    if (was_routine(handle, code))
        deliver(handle, code);
    else
        judge(handle, code);
}

/* The first attempt's transfer ends here; its handle is run again for the second's reply, or as it was. */
static void change_over(struct handle *handle)
{
    if (handle->seat.place == SEAT_RUNS)
        multi_take_back(handle->seat.multi, handle->easy);
    seat_move(handle, SEAT_PARKED);
    if (hedge_takes_over(handle->call))
        run_made(handle);
    else
        run(handle);
}

void course_races(struct handle *handle)
{
    struct call *call = handle->call;
    CURLcode code;

    switch (hedge_stands(call)) {
    case HEDGE_GOES_ON:
        return;
    case HEDGE_WON:
        change_over(handle);
        return;
    case HEDGE_FAILED:
        code = call->hedge->code;
        hedge_drop(call);
        judge(handle, code);
        return;
    case HEDGE_IS_UNFIT:
        handle->seat.is_admitted = true;
        course_goes_on(handle);
        return;
    }
}
