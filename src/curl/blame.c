#include "curl/blame.h"

#include "curl/call.h"
#include "curl/proxy.h"

static long info(const struct call *call, CURLINFO which)
{
    long number = 0;

    call->handle->libcurl->easy_getinfo(call->handle->easy, which, &number);
    return number;
}

/* That of the final block, where we saw it. */
static int status_of(const struct call *call)
{
    if (call->handle->is_dressed && call->reply.block.status)
        return call->reply.block.status;
    return (int)info(call, CURLINFO_RESPONSE_CODE);
}

/* A proxy that refuses CONNECT with a status ends the transfer with an error that looks like a reset. */
static int refusal_by_proxy(const struct call *call)
{
    int status = call->is_http ? (int)info(call, CURLINFO_HTTP_CONNECTCODE) : 0;
    return status >= 400 ? status : 0;
}

struct outcome blame_outcome(const struct call *call, CURLcode code)
{
    if (call->reply.program_refused)
        return (struct outcome){.type = OUTCOME_ABORTED, .curl = (uint8_t)code};
    if (call->is_http && (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR)) {
        int status = status_of(call);
        if (status < 400)
            return (struct outcome){.type = OUTCOME_SUCCESS, .status = (uint16_t)status};
        struct outcome outcome = outcome_of_status(status);
        outcome.curl = (uint8_t)code;
        return outcome;
    }
    struct outcome outcome = outcome_of_curl((int)code);
    if (code == CURLE_COULDNT_CONNECT) /* a refusal is the host's, no route may be ours */
        outcome.os_error = (uint16_t)info(call, CURLINFO_OS_ERRNO);
    if (code == CURLE_OPERATION_TIMEDOUT && !deadline_was_ours(call))
        outcome.type = OUTCOME_LOCAL;
    if (code == CURLE_RECV_ERROR && refusal_by_proxy(call)) {
        outcome = outcome_of_status(refusal_by_proxy(call));
        outcome.curl = (uint8_t)code;
    }
    return outcome;
}

static bool may_use_proxy(const struct call *call)
{
    enum target_scheme scheme;
    const struct place *place = redirect_origin(call, &scheme);

    return !redirect_is_past_proxy(call) && proxy_may_be_used(call->handle, scheme, place);
}

bool blame_is_elsewhere(const struct call *call, const struct outcome *outcome)
{
    if (outcome->type == OUTCOME_SUCCESS)
        return false;
    if (outcome->curl == CURLE_COULDNT_RESOLVE_PROXY || outcome->curl == CURLE_PROXY ||
        refusal_by_proxy(call))
        return true;
    if (!call->sent && may_use_proxy(call)) /* nobody knows which of the two did not answer */
        return true;
    return call_is_at_another_origin(call);
}
