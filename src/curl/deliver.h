/*
 * What the program gets of a reply, by its own functions and as libcurl would give it: header lines, which
 * are held until it is certain that the reply is kept, and the body's bytes.
 */
#ifndef GUSSET_CURL_DELIVER_H
#define GUSSET_CURL_DELIVER_H

#include <stdio.h> /* libcurl's default writer is fwrite(3) on the program's FILE */

#include "curl/call.h"

enum { DELIVER_DONE = 0 }; /* all of it was taken */

static inline size_t deliver_by(curl_write_callback writer, void *data, char *bytes, size_t size)
{
    return writer ? writer(bytes, 1, size, data) : fwrite(bytes, 1, size, data);
}

/* Bytes of a body. Returns what the program's function says. */
static inline size_t deliver_body(struct call *call, char *bytes, size_t size)
{
    const struct handle *handle = call->handle;
    size_t taken = deliver_by((curl_write_callback)handle->words[HANDLES_WRITEFUNCTION],
                              handles_pointer(handle, HANDLES_WRITEDATA), bytes, size);

    if (taken != size && taken != CURL_WRITEFUNC_PAUSE)
        call->reply.program_refused = true;
    return taken;
}

/* A header line, or one of a trailer behind the body. Returns what the program's function says. */
size_t deliver_line(struct call *call, char *line, size_t size, bool is_trailer);

/* Keeps a line for later. Returns false where that is too much, or there is no memory. */
bool deliver_hold(struct reply *reply, const char *line, size_t size);

/* Hands the held lines over, from where it stopped. Returns DELIVER_DONE, CURL_WRITEFUNC_PAUSE, or anything
 * else: refused. */
size_t deliver_held(struct call *call);

/* What libcurl is told of so many bytes, by what became of the lines held before them. */
static inline size_t deliver_answer(size_t of_held, size_t size)
{
    if (of_held == DELIVER_DONE)
        return size;
    return of_held == CURL_WRITEFUNC_PAUSE ? of_held : 0;
}

#endif
