#include "curl/call.h"

#include <stdlib.h>

struct call *call_of(struct handle *handle)
{
    if (!handle->call)
        handle->call = calloc(1, sizeof *handle->call);
    if (handle->call)
        handle->call->handle = handle;
    return handle->call;
}

void call_free(struct call *call)
{
    if (!call)
        return;
    reply_clear(&call->reply);
    upload_clear(&call->upload);
    inject_clear(&call->inject);
    free(call);
}

/*
 * Whether the upload can be made again is asked last, because the answer may cost a call of the
 * program's seek function.
 */
struct gate_attempt call_attempt(struct call *call, struct outcome outcome)
{
    const struct rules_policy *policy = call->gate.policy;
    bool wanted = outcome.type != OUTCOME_SUCCESS && retry_wants(&policy->settings->retry, &outcome);

    return (struct gate_attempt){
        .outcome = outcome,
        .method = call->is_http ? call->method : 0,
        .sent = call->sent,
        .idempotent = inject_program_names(call, "Idempotency-Key"),
        .replayable = wanted && !reply_has_reached_program(&call->reply) && upload_can_replay(call),
        .retry_after_ms = call->reply.retry_after_ms,
    };
}
