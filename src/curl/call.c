#include "curl/call.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "curl/blame.h"
#include "curl/hedge.h"
#include "curl/made.h"
#include "curl/runner.h"
#include "curl/substitute.h"

struct call *call_of(struct handle *handle)
{
    if (handle->call)
        return handle->call;
    struct call *call = malloc(sizeof *call);
    if (!call)
        return NULL;
    memset(call, 0, offsetof(struct call, inject.lines));
    call->handle = handle;
    handle->call = call;
    return call;
}

void call_retire(struct call *call)
{
    call->multi = NULL;
    call->outer = NULL;
    if (call->runner)
        runner_free(call);
    if (call->is_watched) {
        resume_free(call);
        keep_free(call);
    }
    reply_retire(&call->reply);
    upload_retire(&call->upload);
    redirect_retire(call->redirect);
    inject_retire(&call->inject);
    deadline_retire(&call->deadline);
}

void call_free(struct call *call)
{
    if (!call)
        return;
    hedge_drop(call);
    runner_free(call);
    made_drop(call);
    resume_free(call);
    keep_free(call);
    reply_clear(&call->reply);
    upload_clear(&call->upload);
    inject_clear(&call->inject);
    gate_forget(&call->gate);
    free(call->redirect);
    free(call);
}

bool call_is_at_another_origin(const struct call *call)
{
    const struct libcurl *libcurl = call->handle->libcurl;
    enum target_scheme scheme;
    const struct place *origin = redirect_origin(call, &scheme);
    struct target here;
    char *url = NULL;

    if (!reply_was_redirected(&call->reply))
        return false;
    libcurl->easy_getinfo(call->handle->easy, CURLINFO_EFFECTIVE_URL, &url);
    return !url || !target_read(&here, libcurl, url, NULL, 0) || !target_has_origin(&here, scheme, origin);
}

/* A CURLU may have been changed without our knowing. */
static bool has_same_parts(struct handle *handle)
{
    struct target before = handle->target;
    const struct target *now = handles_target(handle);

    return now && target_same_origin(now, &before);
}

bool call_is_unchanged(const struct call *call)
{
    struct handle *handle = call->handle;

    return handle->target_is_read && handles_method(handle) == call->method &&
           (!handle->words[HANDLES_CURLU] || has_same_parts(handle));
}

/*
 * Whether it could be made again is asked only of what failed, and of the upload last, because the
 * answer may cost a call of the program's seek function.
 */
static struct gate_attempt attempt_of(struct call *call, struct outcome outcome)
{
    struct gate_attempt attempt = {.outcome = outcome,
                                   .method = call->is_http ? call->method : 0,
                                   .sent = call->sent,
                                   .retry_after_ms = call->reply.block.retry_after_ms};

    attempt.is_elsewhere = blame_is_elsewhere(call, &outcome);
    attempt.replaceable = !reply_has_reached_program(&call->reply) && substitute_is_there(call);
    bool is_wanted = call->gate.is_raced || (retry_wants(&call->gate.policy->settings->retry, &outcome) &&
                                             call->gate.attempt < gate_attempts(&call->gate));
    if (!is_wanted && !call->gate.route.left)
        return attempt;
    attempt.idempotent = inject_has_key(call);
    bool is_resumable = resume_is_possible(call);
    if (is_resumable)
        deadline_resumes(call);
    attempt.is_elsewhere |= is_resumable && call->resume->came; /* it gave what it could */
    attempt.replayable = (is_resumable || !reply_has_reached_program(&call->reply)) &&
                         call_is_unchanged(call) && upload_can_replay(call);
    return attempt;
}

struct verdict call_ended(struct call *call, struct outcome outcome)
{
    if (call->gate.attempt_ended)
        return call->gate.last;
    struct gate_attempt attempt = attempt_of(call, outcome);
    return gate_ended(&call->gate, &attempt);
}
