#include "curl/easy.h"

#include "curl/hedge.h"
#include "curl/made.h"
#include "curl/progress.h"
#include "curl/rehearse.h"
#include "curl/request.h"
#include "curl/routine.h"
#include "curl/runner.h"
#include "curl/substitute.h"
#include "curl/told.h"
#include "curl/transfer.h"
#include "sys/clock.h"

enum { TICK_MS = 100 };

_Thread_local struct call *easy_running __attribute__((tls_model("initial-exec")));

/*
 * A newer libcurl (8.23) does not come through the loader when its loop takes a handle, but the first that it
 * does then is to wait, before any function of the program's is called: whose multi handle it is nobody else
 * can know.
 */
static void learn_multi(CURLM *multi)
{
    if (easy_running && !easy_running->multi)
        easy_running->multi = multi;
}

int easy_poll_ms(CURLM *multi, int timeout_ms)
{
    learn_multi(multi);
    for (struct call *call = easy_running; call; call = call->outer)
        if (call->multi == multi) {
            if (call->made)
                made_serve(call);
            return made_is_last_word(call) ? timeout_ms : deadline_poll_ms(call, timeout_ms);
        }
    return timeout_ms;
}

void easy_leave(const struct handle *handle)
{
    for (struct call **at = &easy_running; *at; at = &(*at)->outer)
        if (*at == handle->call) {
            *at = handle->call->outer;
            return;
        }
}

/* Sleeps in ticks; returns false when the program's callback ends the call. */
static bool wait_ms(const struct handle *handle, uint32_t ms)
{
    uint64_t until_us = clock_now_us() + (uint64_t)ms * 1000;

    for (;;) {
        uint64_t now_us = clock_now_us();
        if (now_us >= until_us)
            return true;
        uint64_t left_ms = (until_us - now_us + 999) / 1000;
        clock_sleep_ms(left_ms < TICK_MS ? (uint32_t)left_ms : TICK_MS);
        if (progress_stops(handle))
            return false;
    }
}

/* As the program has set the handle, with connections of its own. */
static CURLcode run_alone(struct handle *handle)
{
    pool_stay_out(handle);
    return handle->libcurl->easy_perform(handle->easy);
}

/* For a handle that has no connections of its own: it may go to the pool. */
static CURLcode run_pooled(struct call *call)
{
    struct handle *handle = call->handle;

    if (!pool_wants(call))
        return run_alone(handle);
    pool_enter(call);
    CURLcode code = handle->libcurl->easy_perform(handle->easy);
    pool_exit(handle);
    return code;
}

static inline CURLcode perform_real(struct call *call)
{
    const struct handle *handle = call->handle;
    return handle->pool.has_own ? handle->libcurl->easy_perform(handle->easy) : run_pooled(call);
}

/* By our loop; the pool holds there, too. */
static CURLcode run_by_runner(struct call *call)
{
    struct handle *handle = call->handle;

    if (pool_wants(call))
        pool_enter(call);
    else
        pool_stay_out(handle);
    CURLcode code = runner_perform(call);
    pool_exit(handle);
    return code;
}

static CURLcode run_transfer(struct call *call)
{
    if (call->made) /* it has a connection of its own, which goes with it */
        return call->handle->libcurl->easy_perform(call->handle->easy);
    return runner_has(call) ? run_by_runner(call) : perform_real(call);
}

static CURLcode run_real(struct call *call)
{
    struct handle *handle = call->handle;

    easy_leave(handle); /* a transfer of this handle that was left by longjmp */
    call->multi = NULL;
    call->outer = easy_running;
    easy_running = call;
    CURLcode code = run_transfer(call);
    easy_running = call->outer;
    made_end(call->handle);
    return code;
}

static CURLcode run_attempt(struct call *call)
{
    if (!call->gate.fault)
        return run_real(call);
    rehearse_attempt(call);
    return rehearse_ended(call, run_real(call));
}

static CURLcode refuse(struct call *call, const struct verdict *verdict)
{
    struct handle *handle = call->handle;

    if (substitute_refusal(call, verdict))
        return run_real(call);
    request_refuse(handle);
    return transfer_refused(call, verdict, handle->pool.share ? run_pooled(call) : run_alone(handle));
}

/* An attempt has ended with *code; whether another follows, now that it was waited for. */
static bool goes_again(struct call *call, CURLcode *code)
{
    struct verdict verdict = transfer_ended(call, code);

    if (verdict.kind == VERDICT_REPLACE)
        *code = substitute_failure(call, &verdict) ? run_real(call) : transfer_lost(*code);
    if (verdict.kind != VERDICT_AGAIN)
        return false;
    if (verdict.reason == VERDICT_RACED) {
        hedge_await(call);
        return true;
    }
    if (wait_ms(call->handle, verdict.wait_ms))
        return true;
    *code = CURLE_ABORTED_BY_CALLBACK;
    return false;
}

/* GO or REFUSE, after as much waiting as the gate asks for; STOP when the program's callback ends the call.
 */
static struct verdict admit(struct call *call)
{
    for (;;) {
        struct verdict verdict = gate_admit(&call->gate, true);
        if (verdict.kind != VERDICT_WAIT && verdict.kind != VERDICT_LATER)
            return verdict;
        if (!wait_ms(call->handle, verdict.wait_ms))
            return (struct verdict){.kind = VERDICT_STOP};
        if (verdict.kind == VERDICT_WAIT)
            return (struct verdict){.kind = VERDICT_GO};
    }
}

static CURLcode make_attempt(struct call *call)
{
    if (hedge_is_awaited(call))
        return run_real(call);
    return request_dress(call) ? run_attempt(call) : CURLE_SEND_FAIL_REWIND;
}

static CURLcode perform_gated(struct call *call)
{
    CURLcode code;

    do {
        struct verdict verdict = {.kind = VERDICT_GO};
        if (!hedge_is_awaited(call))
            verdict = admit(call);
        if (verdict.kind == VERDICT_REFUSE)
            return refuse(call, &verdict);
        if (verdict.kind == VERDICT_STOP)
            return CURLE_ABORTED_BY_CALLBACK;
        code = make_attempt(call);
    } while (goes_again(call, &code));
    return code;
}

static CURLcode perform_hedged(struct call *call)
{
    bool is_run_here = runner_begin(call);
    CURLcode code = perform_gated(call);

    if (is_run_here)
        runner_end(call);
    return code;
}

/* The first attempt was no success: from here it is one like all others. */
static __attribute__((noinline)) CURLcode go_on(struct call *call, CURLcode code)
{
    call->handle->is_routine = false;
    if (goes_again(call, &code))
        code = perform_gated(call);
    transfer_close(call);
    return code;
}

/* A call that is dressed and admitted, while none other is under way in this thread. */
static CURLcode perform_routine(struct call *call)
{
    call->outer = NULL;
    call->multi = NULL;
    easy_running = call;
    CURLcode code = perform_real(call);
    easy_running = NULL;
    return routine_ends(call, code) ? code : go_on(call, code);
}

/* Shadow changes nothing: the transfer runs as the program set it, and only its outcome is told. */
static CURLcode perform_watched(struct call *call)
{
    gate_admit(&call->gate, true);
    CURLcode code = run_alone(call->handle);
    transfer_watched(call, code);
    return code;
}

/* Whether no rule matched last time either, and nothing was set since. */
static bool is_still_unmatched(const struct handle *handle)
{
    return handle->is_settled && handle->pool.has_own && !handle->words[HANDLES_CURLU] &&
           gate_is_unmatched(&handle->call->gate);
}

static __attribute__((noinline)) CURLcode perform_any(struct handle *handle)
{
    CURLcode code;

    if (handle->told)
        told_forget(handle);
    if (handle->seat.multi && handle->seat.place == SEAT_PARKED)
        return CURLE_FAILED_INIT; /* what libcurl says of a handle that is in a multi handle */
    if (handle->is_performing || handle->seat.multi || is_still_unmatched(handle))
        return handle->libcurl->easy_perform(handle->easy);
    if (!easy_running && routine_follows(handle, false) && routine_begins(handle->call))
        return perform_routine(handle->call);
    handle->is_routine = false;
    struct call *call = gate_ready(true) ? transfer_open(handle) : NULL;
    if (!call) {
        if (handle->is_dressed) /* still: gusset has stepped back since (ready_retire) */
            request_undress(handle);
        return run_alone(handle);
    }
    if (call->gate.is_repeat && !easy_running)
        return request_dress(call) ? perform_routine(call) : go_on(call, CURLE_SEND_FAIL_REWIND);
    code = call->gate.shadow ? perform_watched(call) : perform_hedged(call);
    transfer_close(call);
    return code;
}

CURLcode easy_perform(struct handle *handle)
{
    bool may_repeat = handle->is_settled && handle->is_routine && !handle->is_performing &&
                      !handle->seat.multi && !easy_running;
    return may_repeat && routine_begins(handle->call) ? perform_routine(handle->call) : perform_any(handle);
}
