#include "curl/routine.h"

#include "curl/nested.h"

/* A request whose body, if any, the program does not read out to us. */
static bool is_plain_request(const struct call *call)
{
    enum handles_request kind = call->handle->request;

    return call->is_http && (kind == HANDLES_GET || kind == HANDLES_HEAD) && !call->upload.is_dressed &&
           !call->handle->words[HANDLES_CURLU]; /* which the program may change without telling us */
}

bool routine_follows(const struct handle *handle, bool is_in_loop)
{
    const struct call *call = handle->call;

    return handle->is_settled && handle->is_dressed && handle->libcurl->has_prereq &&
           is_plain_request(call) && !call->is_watched && reply_is_delivered(&call->reply) &&
           call->deadline.is_plain && (is_in_loop || deadline_sees_polls(call)) && call->inject.is_same &&
           !call->inject.is_silent && !redirect_may_change(call);
}

bool routine_begins(struct call *call)
{
    struct handle *handle = call->handle;

    if (nested_is_watched() || !gate_repeat(&call->gate))
        return false;
    handle->is_performing = true;
    handle->is_routine = true;
    call->sent = call->hop_sent = call->was_sent = false;
    reply_repeat(&call->reply);
    inject_repeat(&call->inject);
    deadline_repeat(call);
    return true;
}

bool routine_ends(struct call *call, CURLcode code)
{
    struct handle *handle = call->handle;

    if (code != CURLE_OK || !reply_is_delivered(&call->reply))
        return false;
    gate_repeated(&call->gate);
    handle->is_performing = false;
    if (call->inject.is_silent)
        handle->is_routine = false;
    if (nested_is_watched())
        nested_ended(call);
    return true;
}
