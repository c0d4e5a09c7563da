#include "curl/rehearse.h"

#include "config/value.h"
#include "core/method.h"
#include "curl/call.h"
#include "curl/made.h"
#include "curl/request.h"

enum { ROOM = 256 };

static void answer_with(struct call *call, uint32_t status)
{
    char head[ROOM], body[ROOM];
    struct value_text said = {body, sizeof body, 0}, out = {head, sizeof head, 0};

    value_put(&said, "gusset: status ");
    value_put_decimal(&said, status, 0, 0);
    value_put(&said, " is rehearsed\n");
    value_put(&out, "HTTP/1.1 ");
    value_put_decimal(&out, status, 0, 0);
    value_put(&out,
              " Rehearsed\r\nContent-Type: text/plain\r\nX-Gusset-Fault: rehearsed\r\nContent-Length: ");
    value_put_decimal(&out, said.length, 0, 0);
    value_put(&out, "\r\n\r\n");
    struct made_reply reply = {.head = head,
                               .head_length = out.length,
                               .body = body,
                               .body_length = handles_method(call->handle) == METHOD_HEAD ? 0 : said.length,
                               .file = -1};
    made_begin(call, &reply, MADE_FOR_ATTEMPT);
}

static void say_nothing(struct call *call, enum made_end end)
{
    struct made_reply reply = {.head = "", .file = -1, .end = end};
    made_begin(call, &reply, MADE_FOR_ATTEMPT);
}

void rehearse_attempt(struct call *call)
{
    uint32_t fault = call->gate.fault;

    if (fault >= REHEARSAL_STATUS) {
        answer_with(call, fault);
        return;
    }
    switch ((enum rehearsal_error)fault) {
    case REHEARSAL_NONE:
    case REHEARSAL_STATUS:
    case REHEARSAL_LAST:
        return;
    case REHEARSAL_REFUSE:
        request_refuse(call->handle);
        return;
    case REHEARSAL_RESET:
        say_nothing(call, MADE_RESETS);
        return;
    case REHEARSAL_TIMEOUT:
        say_nothing(call, MADE_STALLS);
        return;
    case REHEARSAL_CUT:
        reply_cut(call, call->gate.policy->settings->fault.after);
        return;
    }
}

CURLcode rehearse_ended(struct call *call, CURLcode code)
{
    char *buffer = handles_pointer(call->handle, HANDLES_ERRORBUFFER);

    made_end(call->handle);
    if (call->handle->is_refused)
        request_refused(call->handle);
    if (!call->reply.was_cut || code != CURLE_WRITE_ERROR)
        return code;
    if (buffer) {
        struct value_text out = {buffer, CURL_ERROR_SIZE, 0};
        value_put(&out, "transfer closed with outstanding read data remaining (rehearsed)");
    }
    return CURLE_PARTIAL_FILE;
}
