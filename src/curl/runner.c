#include "curl/runner.h"

#include <stdlib.h>

#include "curl/alarm.h"
#include "curl/hedge.h"
#include "curl/limits.h"
#include "curl/made.h"
#include "curl/progress.h"
#include "curl/request.h"
#include "curl/told.h"
#include "sys/clock.h"
#include "sys/quiet.h"

enum { WAIT_MS = 1000, TICK_MS = 100 }; /* as libcurl's own loop; while only the twin runs */

/* ---- the multi handle ---- */

static struct runner *make(const struct libcurl *libcurl)
{
    struct runner *runner = calloc(1, sizeof *runner);

    if (runner && !(runner->multi = libcurl->multi_init())) {
        free(runner);
        return NULL;
    }
    return runner;
}

bool runner_begin(struct call *call)
{
    struct handle *handle = call->handle;

    /* What CURLOPT_RESOLVE said to one multi handle's cache is unknown to another's. */
    if (!(call->gate.policy->settings->groups & POLICY_HEDGE) || !handle->libcurl->multi_poll ||
        handle->resolved)
        return false;
    if (!call->runner && !(call->runner = make(handle->libcurl)))
        return false;
    call->runner->looks_us = 0;
    deadline_enters_loop(call, &call->runner->looks_us, false);
    return true;
}

void runner_end(struct call *call)
{
    hedge_drop(call);
    deadline_leaves_loop(call);
}

void runner_free(struct call *call)
{
    struct runner *runner = call->runner;

    if (!runner)
        return;
    call->runner = NULL;
    struct quiet quiet = quiet_begin();
    call->handle->libcurl->multi_cleanup(runner->multi); /* refused where a callback left it by longjmp */
    quiet_end(&quiet);
    free(runner);
}

/* ---- the transfer in it ---- */

struct run {
    struct call *call;
    const struct libcurl *libcurl;
    CURLM *multi;
    bool is_in;   /* the call's own transfer is in the multi handle */
    bool is_over; /* with code */
    CURLcode code;
};

static void end(struct run *run, CURLcode code)
{
    run->is_over = true;
    run->code = code;
}

/* libcurl's own answers, where it says no. */
static void put_in(struct run *run)
{
    CURLMcode code = run->libcurl->multi_add_handle(run->multi, run->call->handle->easy);

    run->is_in = code == CURLM_OK;
    if (!run->is_in)
        end(run, code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
}

static void take_out(struct run *run)
{
    struct quiet quiet = quiet_begin();

    if (run->is_in)
        run->libcurl->multi_remove_handle(run->multi, run->call->handle->easy);
    run->is_in = false;
    quiet_end(&quiet);
}

/* Returns whether a limit has passed: libcurl is to notice at once. */
static bool look(struct run *run)
{
    struct call *call = run->call;
    uint64_t now_us = clock_now_us();
    bool has_passed = false;

    if (call->runner->looks_us && now_us < call->runner->looks_us)
        return false;
    call->runner->looks_us = 0;
    if (run->is_in)
        has_passed = deadline_look(call, now_us);
    if (call->hedge_due_us)
        hedge_look(call, run->multi, now_us);
    return has_passed;
}

static int wait_ms(const struct run *run)
{
    long most_ms = run->is_in ? WAIT_MS : TICK_MS, left_ms = most_ms;

    if (run->call->runner->looks_us)
        left_ms = alarm_left_ms(run->call->runner->looks_us);
    return (int)(left_ms < most_ms ? left_ms : most_ms);
}

static void read_messages(struct run *run)
{
    const CURLMsg *message;
    int left;

    while ((message = run->libcurl->multi_info_read(run->multi, &left))) {
        if (message->easy_handle == run->call->handle->easy)
            end(run, message->data.result);
        else if (run->call->hedge && run->call->hedge->twin == message->easy_handle)
            hedge_ended(run->call->hedge, message->data.result);
    }
}

/* The first attempt's transfer ends here; its handle is run again for the twin's reply, or as it was. */
static void change_over(struct run *run)
{
    take_out(run);
    hedge_takes_over(run->call);
    put_in(run);
}

static void try_again(struct run *run)
{
    if (request_dress(run->call))
        put_in(run);
    else
        end(run, CURLE_SEND_FAIL_REWIND);
}

static void see_who_is_first(struct run *run)
{
    switch (hedge_stands(run->call)) {
    case HEDGE_GOES_ON:
        return;
    case HEDGE_WON:
        change_over(run);
        return;
    case HEDGE_FAILED:
        end(run, run->call->hedge->code);
        hedge_drop(run->call);
        return;
    case HEDGE_IS_UNFIT:
        try_again(run);
        return;
    }
}

static void turn(struct run *run)
{
    struct call *call = run->call;
    int running;

    bool is_late = look(run);
    CURLMcode code = run->libcurl->multi_poll(run->multi, NULL, 0, is_late ? 0 : wait_ms(run), NULL);
    if (code == CURLM_OK)
        code = run->libcurl->multi_perform(run->multi, &running);
    if (code != CURLM_OK) {
        end(run, code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_BAD_FUNCTION_ARGUMENT);
        return;
    }
    read_messages(run);
    if (!run->is_over && call->hedge)
        see_who_is_first(run);
    if (call->made) {
        made_serve(call);
        hedge_serve(call);
    }
    if (!run->is_over && !run->is_in && progress_stops(call->handle))
        end(run, CURLE_ABORTED_BY_CALLBACK);
}

CURLcode runner_perform(struct call *call)
{
    struct handle *handle = call->handle;
    struct run run = {.call = call, .libcurl = handle->libcurl, .multi = call->runner->multi};
    char *error = handles_pointer(handle, HANDLES_ERRORBUFFER);

    if (error)
        error[0] = '\0'; /* as curl_easy_perform does at once */
    run.libcurl->multi_setopt(run.multi, CURLMOPT_MAXCONNECTS, (long)handle->words[HANDLES_MAXCONNECTS] + 1);
    if (!hedge_is_awaited(call))
        put_in(&run);
    while (!run.is_over)
        turn(&run);
    if (run.is_in)
        told_of_socket(handle);
    take_out(&run);
    return run.code;
}
