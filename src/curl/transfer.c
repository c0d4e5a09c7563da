#include "curl/transfer.h"

#include "curl/blame.h"
#include "curl/hedge.h"
#include "curl/nested.h"
#include "curl/request.h"
#include "curl/substitute.h"
#include "gate/race.h"

/* Searches the rules for a handle whose target is new, or has changed its method. */
static bool open_anew(struct call *call, const struct target *target, uint32_t method)
{
    struct rules_query query = {
        .place = &target->place, .method = method, .path = target->path, .path_length = target->path_length};

    bool is_http = target->scheme != TARGET_OTHER;

    call->handle->is_settled = false;
    if (is_http != call->is_http) /* what is borrowed differs */
        request_undress(call->handle);
    call->method = method;
    call->is_http = call->gate.can_reply = is_http;
    const struct ready *before = call->gate.ready;
    bool is_opened = gate_open(&call->gate, &query, true);
    if (call->gate.ready != before)
        inject_forget_rules(&call->inject);
    redirect_open(call);
    return is_opened;
}

/* The call of a handle that something was set on since its last one; NULL when no rule matches. */
static struct call *find_call(struct handle *handle)
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
    if (same && gate_is_unmatched(&call->gate))
        return NULL;
    return (same && gate_reopen(&call->gate)) || open_anew(call, target, method) ? call : NULL;
}

static struct call *open_call(struct handle *handle)
{
    /* A CURLU belongs to the program, which may change it at any time without telling us. */
    bool is_as_before = handle->is_settled && !handle->words[HANDLES_CURLU];

    if (is_as_before && gate_is_unmatched(&handle->call->gate))
        return NULL;
    is_as_before = is_as_before && gate_reopen(&handle->call->gate);
    struct call *call = is_as_before ? handle->call : find_call(handle);
    if (!call)
        return NULL;
    deadline_call(call);
    unsigned repeats = nested_repeats(call);
    if (repeats)
        gate_repeats(&call->gate, repeats);
    return call;
}

struct call *transfer_open(struct handle *handle)
{
    struct call *call = open_call(handle);

    if (!call || call->gate.shadow)
        request_undress(handle);
    if (!call) {
        handle->is_settled =
            handle->call && !handle->call->gate.policy; /* which else is an earlier target's */
        return NULL;
    }
    handle->is_performing = true;
    call->was_sent = false;
    if (!call->gate.shadow) {
        inject_call(call);
        upload_call(call);
    }
    return call;
}

struct verdict transfer_ended(struct call *call, CURLcode *code)
{
    *code = resume_ended(call, hedge_transfer_ends(call, *code));
    if (*code == CURLE_OK && reply_is_delivered(&call->reply)) {
        gate_succeeded(&call->gate, (struct outcome){.type = OUTCOME_SUCCESS,
                                                     .status = (uint16_t)call->reply.block.status});
        if (resume_is_on(call))
            *code = resume_end(call, *code);
        if (call->keep)
            keep_end(call, *code == CURLE_OK);
        return (struct verdict){VERDICT_STOP, VERDICT_SUCCEEDED, 0};
    }
    bool swallowed = call->reply.phase == REPLY_SWALLOWING;
    bool is_lost = call->resume && call->resume->is_lost;
    struct outcome outcome = {.type = OUTCOME_UNKNOWN};
    if (!is_lost)
        outcome = blame_outcome(call, *code);
    struct verdict verdict = call_ended(call, outcome); /* repeats its answer where the reply decided */

    if (verdict.kind == VERDICT_AGAIN && resume_is_possible(call))
        resume_begin(call, *code);
    if (call->keep && !resume_is_on(call))
        keep_end(call, false);
    if (resume_is_on(call)) {
        if (verdict.kind != VERDICT_AGAIN || *code == CURLE_ABORTED_BY_CALLBACK) {
            *code = resume_end(call, *code);
            verdict.kind = VERDICT_STOP;
        }
        return verdict;
    }
    bool is_kept = verdict.kind != VERDICT_AGAIN && verdict.kind != VERDICT_REPLACE;
    if (!swallowed && is_kept && !reply_finish(call) && *code == CURLE_OK)
        *code = CURLE_WRITE_ERROR;
    if (!is_kept && *code == CURLE_ABORTED_BY_CALLBACK)
        verdict.kind = VERDICT_STOP; /* the program's own word counts */
    return verdict;
}

void transfer_watched(struct call *call, CURLcode code)
{
    struct outcome outcome = blame_outcome(call, code);
    struct gate_attempt ended = {.outcome = outcome,
                                 .method = call->is_http ? call->method : 0,
                                 .sent = outcome.type != OUTCOME_DNS && outcome.type != OUTCOME_CONNECT,
                                 .idempotent = inject_has_key(call),
                                 .replayable = true,
                                 .replaceable = substitute_is_there(call),
                                 .retry_after_ms = -1};
    gate_ended(&call->gate, &ended);
    if (call->method & RACE_METHODS)
        race_would(&call->gate);
}

CURLcode transfer_refused(struct call *call, const struct verdict *verdict, CURLcode code)
{
    char *buffer = handles_pointer(call->handle, HANDLES_ERRORBUFFER);

    request_refused(call->handle);
    if (buffer)
        gate_explain(&call->gate, verdict, buffer, CURL_ERROR_SIZE);
    return call->was_sent ? CURLE_RECV_ERROR : code; /* a refused connection would say: never sent */
}

CURLcode transfer_lost(CURLcode code)
{
    return code == CURLE_OK || code == CURLE_WRITE_ERROR ? CURLE_RECV_ERROR : code;
}

void transfer_close(struct call *call)
{
    hedge_drop(call);
    call->handle->is_performing = false;
    if (resume_is_on(call)) /* refused, or given up, while it waited to go on */
        resume_end(call, CURLE_ABORTED_BY_CALLBACK);
    nested_ended(call);
    gate_close(&call->gate);
}
