#include "curl/deliver.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 1024 * 1024 };

/* Until 8.4.0 libcurl kept trailers out of the body that CURLOPT_HEADER asks to have headers in. */
static bool is_for_body(const struct call *call, bool is_trailer)
{
    return call->is_http && call->handle->words[HANDLES_HEADER] &&
           (!is_trailer || call->handle->libcurl->version >= 0x080400);
}

/*
 * A header line goes to the body's writer first where CURLOPT_HEADER asks for it, then to the header
 * function; HEADERDATA alone sends it to the write function.
 */
size_t deliver_line(struct call *call, char *line, size_t size, bool is_trailer)
{
    const struct handle *handle = call->handle;
    curl_write_callback header = (curl_write_callback)handle->words[HANDLES_HEADERFUNCTION];
    void *data = handles_pointer(handle, HANDLES_HEADERDATA);

    if (is_for_body(call, is_trailer) && !call->reply.header_half_done) {
        size_t taken = deliver_body(call, line, size);
        if (taken != size)
            return taken;
    }
    if (!header && !data)
        return size;
    if (!header)
        header = (curl_write_callback)handle->words[HANDLES_WRITEFUNCTION];
    size_t taken = deliver_by(header, data, line, size);
    call->reply.header_half_done = taken == CURL_WRITEFUNC_PAUSE;
    if (taken != size && taken != CURL_WRITEFUNC_PAUSE)
        call->reply.program_refused = true;
    return taken;
}

bool deliver_hold(struct reply *reply, const char *line, size_t size)
{
    uint32_t length = (uint32_t)size;
    size_t needed = reply->length + sizeof length + size;

    if (needed > reply->room) {
        size_t room = reply->room ? reply->room : 2048;
        while (room < needed)
            room *= 2;
        char *grown = room <= HELD_MAX ? realloc(reply->lines, room) : NULL;
        if (!grown)
            return false;
        reply->lines = grown;
        reply->room = room;
    }
    memcpy(reply->lines + reply->length, &length, sizeof length);
    memcpy(reply->lines + reply->length + sizeof length, line, size);
    reply->length = needed;
    return true;
}

size_t deliver_held(struct call *call)
{
    struct reply *reply = &call->reply;

    while (reply->flushed < reply->length) {
        uint32_t size;
        memcpy(&size, reply->lines + reply->flushed, sizeof size);
        size_t taken = deliver_line(call, reply->lines + reply->flushed + sizeof size, size, false);
        if (taken == CURL_WRITEFUNC_PAUSE) {
            reply->phase = REPLY_FLUSHING;
            deadline_body(call, true);
            return taken;
        }
        if (taken != size)
            return taken == DELIVER_DONE ? 1 : taken;
        reply->flushed += sizeof size + size;
    }
    reply->phase = REPLY_COMMITTED;
    return DELIVER_DONE;
}
