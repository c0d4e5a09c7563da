#include "curl/reply.h"

#include <stdlib.h>

#include "curl/body.h"
#include "curl/call.h"
#include "curl/deliver.h"
#include "curl/lines.h"

enum { ROOM_KEPT = 4096 /* for the next handle */ };

void reply_program_set(struct call *call)
{
    const uint64_t *words = call->handle->words;

    call->reply.is_quiet = false;
    call->reply.is_skimmed = call->is_http && !words[HANDLES_HEADERFUNCTION] && !words[HANDLES_HEADERDATA] &&
                             !words[HANDLES_HEADER] && !call->is_watched;
}

static void dress(struct call *call)
{
    const struct handle *handle = call->handle;
    const struct libcurl *libcurl = handle->libcurl;
    CURL *easy = handle->easy;

    call->reply.is_dressed = true;
    libcurl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, lines_take);
    libcurl->easy_setopt(easy, CURLOPT_HEADERDATA, call);
    libcurl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
    libcurl->easy_setopt(easy, CURLOPT_WRITEDATA, call);
    call->reply.header_is_off = call->is_http && call->handle->words[HANDLES_HEADER];
    if (call->reply.header_is_off)
        call_set(call, CURLOPT_HEADER, 0L);
    reply_program_set(call);
}

void reply_attempt(struct call *call)
{
    struct reply *reply = &call->reply;

    if (!reply->is_dressed)
        dress(call);
    reply->phase = REPLY_HOLDING;
    reply->is_cut = reply->was_cut = false;
    reply->is_quiet = reply->header_half_done = reply->was_redirected = reply->program_refused = false;
    block_init(&reply->block);
    reply->swallowed = reply->length = reply->flushed = 0;
}

void reply_cut(struct call *call, uint64_t after)
{
    call->reply.is_cut = true;
    call->reply.cut_after = after;
    call->deadline.is_plain = false; /* the body is looked at */
    call->deadline.patience_ms = 0;
}

bool reply_finish(struct call *call)
{
    if (call->reply.phase == REPLY_HOLDING && call->reply.length)
        return deliver_held(call) == DELIVER_DONE;
    return true;
}

bool reply_has_reached_program(const struct reply *reply)
{
    return reply->phase == REPLY_COMMITTED || reply->phase == REPLY_FLUSHING;
}

bool reply_was_redirected(const struct reply *reply)
{
    return reply->was_redirected;
}

void reply_restore(struct call *call)
{
    const struct handle *handle = call->handle;

    if (!call->reply.is_dressed)
        return;
    call_set(call, CURLOPT_HEADERFUNCTION, handles_pointer(handle, HANDLES_HEADERFUNCTION));
    call_set(call, CURLOPT_HEADERDATA, handles_pointer(handle, HANDLES_HEADERDATA));
    call_set(call, CURLOPT_WRITEFUNCTION, handles_pointer(handle, HANDLES_WRITEFUNCTION));
    call_set(call, CURLOPT_WRITEDATA, handles_pointer(handle, HANDLES_WRITEDATA));
    if (call->reply.header_is_off)
        call_set(call, CURLOPT_HEADER, (long)handle->words[HANDLES_HEADER]);
    call->reply.header_is_off = false;
    call->reply.is_dressed = call->reply.program_refused = false;
}

void reply_retire(struct reply *reply)
{
    reply->is_dressed = reply->header_is_off = reply->program_refused = false;
    if (reply->room > ROOM_KEPT)
        reply_clear(reply);
}

void reply_clear(struct reply *reply)
{
    free(reply->lines);
    reply->lines = NULL;
    reply->room = 0;
}
