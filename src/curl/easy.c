#include "curl/easy.h"

#include <string.h>

#include "core/method.h"
#include "curl/blame.h"
#include "curl/call.h"
#include "curl/request.h"
#include "sys/clock.h"

enum { TICK_MS = 100 };

/*
 * The calls whose transfers libcurl runs in this thread just now, the innermost first: a callback may
 * perform another. One that was left by longjmp stays until the one around it ends, or its handle goes.
 */
static _Thread_local struct call *running __attribute__((tls_model("initial-exec")));

void easy_runs_with(CURL *easy, CURLM *multi)
{
    if (running && running->handle->easy == easy)
        running->multi = multi;
}

int easy_poll_ms(CURLM *multi, int timeout_ms)
{
    for (struct call *call = running; call; call = call->outer)
        if (call->multi == multi)
            return deadline_poll_ms(call, timeout_ms);
    return timeout_ms;
}

void easy_leave(const struct handle *handle)
{
    for (struct call **at = &running; *at; at = &(*at)->outer)
        if (*at == handle->call) {
            *at = handle->call->outer;
            return;
        }
}

/* The program's progress callback, as libcurl would call it while nothing moves. */
static bool program_says_stop(const struct handle *handle)
{
    curl_xferinfo_callback xferinfo = (curl_xferinfo_callback)handle->words[HANDLES_XFERINFOFUNCTION];
    curl_progress_callback progress = (curl_progress_callback)handle->words[HANDLES_PROGRESSFUNCTION];
    void *data = handles_pointer(handle, HANDLES_XFERINFODATA);
    int stop = 0;

    if (handle->words[HANDLES_NOPROGRESS])
        return false;
    if (xferinfo)
        stop = xferinfo(data, 0, 0, 0, 0);
    else if (progress)
        stop = progress(data, 0.0, 0.0, 0.0, 0.0);
    return stop && stop != CURL_PROGRESSFUNC_CONTINUE;
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
        if (program_says_stop(handle))
            return false;
    }
}

static void say(const struct call *call, const struct verdict *verdict)
{
    char *buffer = handles_pointer(call->handle, HANDLES_ERRORBUFFER);

    if (buffer)
        gate_explain(&call->gate, verdict, buffer, CURL_ERROR_SIZE);
}

static CURLcode run_real(struct call *call)
{
    struct handle *handle = call->handle;

    easy_leave(handle); /* a transfer of this handle that was left by longjmp */
    call->outer = running;
    running = call;
    CURLcode code = handle->libcurl->easy_perform(handle->easy);
    running = call->outer;
    return code;
}

/* One attempt. Returns what the gate says of it; *code is the result as libcurl gave it. */
static struct verdict attempt(struct call *call, CURLcode *code)
{
    *code = request_dress(call) ? run_real(call) : CURLE_SEND_FAIL_REWIND;

    bool swallowed = call->reply.phase == REPLY_SWALLOWING;
    struct outcome outcome = blame_outcome(call, *code);
    struct verdict verdict = call_ended(call, outcome); /* repeats its answer where the reply decided */

    if (!swallowed && verdict.kind != VERDICT_AGAIN && !reply_finish(call) && *code == CURLE_OK)
        *code = CURLE_WRITE_ERROR;
    if (verdict.kind == VERDICT_AGAIN && *code == CURLE_ABORTED_BY_CALLBACK)
        verdict.kind = VERDICT_STOP; /* the program's own word counts */
    return verdict;
}

static CURLcode refuse(struct call *call, const struct verdict *verdict)
{
    CURLcode code = request_refuse(call->handle);
    say(call, verdict);
    return call->was_sent ? CURLE_RECV_ERROR : code; /* a refused connection would say: never sent */
}

static CURLcode perform_gated(struct call *call)
{
    CURLcode code = CURLE_OK;

    call->was_sent = false;
    inject_call(call);
    upload_call(call);
    for (;;) {
        struct verdict verdict = gate_admit(&call->gate, true);
        if (verdict.kind == VERDICT_REFUSE)
            return refuse(call, &verdict);
        if (verdict.kind == VERDICT_WAIT && !wait_ms(call->handle, verdict.wait_ms))
            return CURLE_ABORTED_BY_CALLBACK;
        verdict = attempt(call, &code);
        if (verdict.kind != VERDICT_AGAIN)
            return code;
        if (!wait_ms(call->handle, verdict.wait_ms))
            return CURLE_ABORTED_BY_CALLBACK;
    }
}

/* Shadow changes nothing: the transfer runs as the program set it, and only its outcome is told. */
static CURLcode perform_watched(struct call *call)
{
    gate_admit(&call->gate, true);
    CURLcode code = call->handle->libcurl->easy_perform(call->handle->easy);
    struct outcome outcome = blame_outcome(call, code);
    struct gate_attempt ended = {.outcome = outcome,
                                 .method = call->is_http ? call->method : 0,
                                 .sent = outcome.type != OUTCOME_DNS && outcome.type != OUTCOME_CONNECT,
                                 .idempotent = inject_program_sends(call, "Idempotency-Key"),
                                 .replayable = true,
                                 .retry_after_ms = -1};
    gate_ended(&call->gate, &ended);
    return code;
}

/* Searches the rules for a handle whose target is new, or has changed its method. */
static bool open_anew(struct call *call, const struct target *target, uint32_t method)
{
    struct rules_query query = {
        .place = &target->place, .method = method, .path = target->path, .path_length = target->path_length};

    bool is_http = target->scheme != TARGET_OTHER;

    if (is_http != call->is_http) /* what is borrowed differs */
        request_undress(call->handle);
    call->method = method;
    call->is_http = is_http;
    return gate_open(&call->gate, &query, true);
}

/* Fills in the call, when a rule matches; NULL otherwise. */
static struct call *open_call(struct handle *handle)
{
    const struct target *target = handles_target(handle);

    if (!target || handle->words[HANDLES_CONNECT_ONLY])
        return NULL;
    uint32_t method = handles_method(handle);
    struct call *call = call_of(handle);
    if (!call)
        return NULL;
    bool same = !handle->target_is_new && method == call->method;
    handle->target_is_new = false;
    if (!(same && gate_reopen(&call->gate)) && !open_anew(call, target, method))
        return NULL;
    deadline_call(call);
    return call;
}

CURLcode easy_perform(struct handle *handle)
{
    if (handle->is_performing || !gate_ready(true))
        return handle->libcurl->easy_perform(handle->easy);
    struct call *call = open_call(handle);
    if (!call || call->gate.shadow)
        request_undress(handle);
    if (!call)
        return handle->libcurl->easy_perform(handle->easy);
    handle->is_performing = true;
    CURLcode code = call->gate.shadow ? perform_watched(call) : perform_gated(call);
    handle->is_performing = false;
    gate_close(&call->gate);
    return code;
}
