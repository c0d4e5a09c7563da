#include "curl/reply.h"

#include <stdio.h> /* libcurl's default writer is fwrite(3) on the program's FILE */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl/call.h"
#include "sys/clock.h"

enum {
    HELD_MAX = 1024 * 1024,
    SWALLOW_MAX =
        64 * 1024, /* a longer body of a reply that is thrown away costs more than a new connection */
    DONE = 0       /* handing over: all of it was taken */
};

/* ---- what the program gets, as libcurl would give it ---- */

static size_t write_by(curl_write_callback writer, void *data, char *bytes, size_t size)
{
    return writer ? writer(bytes, 1, size, data) : fwrite(bytes, 1, size, data ? data : stdout);
}

static size_t deliver_body(struct call *call, char *bytes, size_t size)
{
    const struct handle *handle = call->handle;
    size_t taken = write_by((curl_write_callback)handle->words[HANDLES_WRITEFUNCTION],
                            handles_pointer(handle, HANDLES_WRITEDATA), bytes, size);

    if (taken != size && taken != CURL_WRITEFUNC_PAUSE)
        call->reply.program_refused = true;
    return taken;
}

/*
 * A header line goes to the body's writer first where CURLOPT_HEADER asks for it (trailers never do),
 * then to the header function; HEADERDATA alone sends it to the write function.
 */
static size_t deliver_header(struct call *call, char *line, size_t size, bool is_trailer)
{
    const struct handle *handle = call->handle;
    curl_write_callback header = (curl_write_callback)handle->words[HANDLES_HEADERFUNCTION];
    void *data = handles_pointer(handle, HANDLES_HEADERDATA);

    if (call->is_http && handle->words[HANDLES_HEADER] && !is_trailer && !call->reply.header_half_done) {
        size_t taken = deliver_body(call, line, size);
        if (taken != size)
            return taken;
    }
    if (!header && !data)
        return size;
    if (!header)
        header = (curl_write_callback)handle->words[HANDLES_WRITEFUNCTION];
    size_t taken = write_by(header, data, line, size);
    call->reply.header_half_done = taken == CURL_WRITEFUNC_PAUSE;
    if (taken != size && taken != CURL_WRITEFUNC_PAUSE)
        call->reply.program_refused = true;
    return taken;
}

/* ---- holding ---- */

static bool hold(struct reply *reply, const char *line, size_t size)
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

/* Hands the held lines over from where it stopped. Returns DONE, CURL_WRITEFUNC_PAUSE, or anything else:
 * refused. */
static size_t flush(struct call *call)
{
    struct reply *reply = &call->reply;

    while (reply->flushed < reply->length) {
        uint32_t size;
        memcpy(&size, reply->lines + reply->flushed, sizeof size);
        size_t taken = deliver_header(call, reply->lines + reply->flushed + sizeof size, size, false);
        if (taken == CURL_WRITEFUNC_PAUSE) {
            reply->phase = REPLY_FLUSHING;
            return taken;
        }
        if (taken != size)
            return taken == DONE ? 1 : taken;
        reply->flushed += sizeof size + size;
    }
    reply->phase = REPLY_COMMITTED;
    return DONE;
}

static size_t commit(struct call *call)
{
    deadline_committed(call);
    call->reply.phase = REPLY_COMMITTED;
    return flush(call);
}

/* ---- the one decision ---- */

static void swallow(struct call *call)
{
    call->reply.phase = REPLY_SWALLOWING;
    deadline_swallow(call);
}

/* The final block has ended: whose is this reply? Returns as flush does. */
static size_t decide(struct call *call)
{
    struct outcome outcome = outcome_of_status(call->reply.status);

    if (outcome.type != OUTCOME_SUCCESS && call_ended(call, outcome).kind == VERDICT_AGAIN) {
        swallow(call);
        return DONE;
    }
    return commit(call);
}

/* ---- reading header lines ---- */

static bool is_named(const char *line, size_t size, const char *name, size_t name_length)
{
    return size > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0;
}

static void read_value(const char *line, size_t size, size_t name_length, const char **value,
                       size_t *value_length)
{
    const char *start = line + name_length + 1, *end = line + size;

    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *value = start;
    *value_length = (size_t)(end - start);
}

static int64_t read_number(const char *text, size_t length)
{
    int64_t number = 0;

    if (!length || length > 15)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static void note_line(struct reply *reply, const char *line, size_t size)
{
    static const char retry_after[] = "Retry-After", location[] = "Location",
                      content_length[] = "Content-Length";
    const char *value;
    size_t length;

    if (is_named(line, size, location, sizeof location - 1)) {
        reply->has_location = true;
    } else if (is_named(line, size, content_length, sizeof content_length - 1)) {
        read_value(line, size, sizeof content_length - 1, &value, &length);
        reply->content_length = read_number(value, length);
    } else if (is_named(line, size, retry_after, sizeof retry_after - 1)) {
        read_value(line, size, sizeof retry_after - 1, &value, &length);
        reply->retry_after_ms = retry_after_ms(value, length, (int64_t)(clock_unix_ms() / 1000));
    }
}

/*
 * "HTTP/1.1 503 Busy", "HTTP/2 503": the status, or 0 when the line begins no block. libcurl has checked the
 * line before it hands it over.
 */
static int read_status(const char *line, size_t size)
{
    size_t at = size > 8 && line[8] == ' ' ? 9 : 7;

    if (size < at + 3 || memcmp(line, "HTTP/", 5) != 0 || line[at - 1] != ' ')
        return 0;
    return (line[at] - '0') * 100 + (line[at + 1] - '0') * 10 + (line[at + 2] - '0');
}

static void begin_block(struct reply *reply, int status)
{
    reply->status = status;
    reply->block_ended = false;
    reply->has_location = false;
    reply->retry_after_ms = -1;
    reply->content_length = -1;
}

static bool is_blank(const char *line, size_t size)
{
    return size > 0 && (line[0] == '\n' || (size > 1 && line[0] == '\r' && line[1] == '\n'));
}

/*
 * Whether a block may be followed by another of the same transfer: then only its body, or the end of
 * the transfer, tells that it was the final one. A 401 or 407 may be answered by libcurl itself.
 */
static bool may_go_on(struct call *call)
{
    struct reply *reply = &call->reply;
    int status = reply->status;
    bool follows = call->handle->words[HANDLES_FOLLOWLOCATION] && reply->has_location && status / 100 == 3;

    reply->was_redirected |= follows;
    return (status / 100 == 1 && status != 101) || follows || status == 401 || status == 407 ||
           (status == 200 && call->sent == false); /* the proxy's answer to CONNECT */
}

/* ---- libcurl's side ---- */

static size_t answer(size_t flushed, size_t size)
{
    if (flushed == DONE)
        return size;
    return flushed == CURL_WRITEFUNC_PAUSE ? flushed : (size == 0 ? 1 : 0);
}

static size_t hold_line(struct call *call, char *line, size_t size)
{
    struct reply *reply = &call->reply;

    if (reply->block_ended || !reply->status) {
        int status = read_status(line, size);
        if (status > 0)
            begin_block(reply, status);
    }
    if (reply->is_wanted && !hold(reply, line, size)) { /* too much to keep: from here it is the program's */
        size_t flushed = commit(call);
        return flushed == DONE ? deliver_header(call, line, size, false) : answer(flushed, size);
    }
    if (!is_blank(line, size)) {
        if (reply->status / 100 != 2) /* of a success nothing more needs to be known */
            note_line(reply, line, size);
        return size;
    }
    reply->block_ended = true;
    return may_go_on(call) ? size : answer(decide(call), size);
}

/*
 * Most lines: a field of a successful reply that nobody wants to see. A function of its own, so that it
 * costs a dozen instructions and no registers saved.
 */
static inline bool is_of_no_interest(const struct reply *reply, const char *line)
{
    return reply->phase == REPLY_HOLDING && !reply->is_wanted && !reply->block_ended &&
           reply->status >= 200 && reply->status < 300 && line[0] > '\r';
}

static __attribute__((noinline)) size_t take_line(struct call *call, char *line, size_t size)
{
    if (!call->is_http) {
        call->reply.phase = REPLY_COMMITTED;
        return deliver_header(call, line, size, false);
    }
    switch (call->reply.phase) {
    case REPLY_HOLDING:
        return hold_line(call, line, size);
    case REPLY_FLUSHING: /* the same line comes again; it is the last of those held */
        return answer(flush(call), size);
    case REPLY_COMMITTED:
        return deliver_header(call, line, size, call->reply.block_ended);
    case REPLY_SWALLOWING:
        return size;
    }
    return size;
}

static size_t header_line(char *line, size_t one, size_t count, void *data)
{
    struct call *call = data;

    if (is_of_no_interest(&call->reply, line))
        return one * count;
    return take_line(call, line, one * count);
}

static size_t swallow_body(struct reply *reply, size_t size)
{
    reply->swallowed += size;
    return reply->swallowed > SWALLOW_MAX || reply->content_length > SWALLOW_MAX ? 0 : size;
}

static size_t body_bytes(char *bytes, size_t one, size_t count, void *data)
{
    struct call *call = data;
    struct reply *reply = &call->reply;
    size_t size = one * count, flushed = DONE;

    deadline_body(call);
    if (reply->phase == REPLY_HOLDING)
        flushed = call->is_http && reply->status ? decide(call) : commit(call);
    else if (reply->phase == REPLY_FLUSHING)
        flushed = flush(call);
    if (flushed != DONE)
        return answer(flushed, size);
    return reply->phase == REPLY_SWALLOWING ? swallow_body(reply, size) : deliver_body(call, bytes, size);
}

/* ---- dressing ---- */

static void dress(struct call *call)
{
    const uint64_t *words = call->handle->words;

    call->reply.is_dressed = true;
    call->reply.is_wanted =
        words[HANDLES_HEADERFUNCTION] || words[HANDLES_HEADERDATA] || words[HANDLES_HEADER];
    call_set(call, CURLOPT_HEADERFUNCTION, header_line);
    call_set(call, CURLOPT_HEADERDATA, call);
    call_set(call, CURLOPT_WRITEFUNCTION, body_bytes);
    call_set(call, CURLOPT_WRITEDATA, call);
    if (call->is_http && words[HANDLES_HEADER])
        call_set(call, CURLOPT_HEADER, 0L);
}

void reply_attempt(struct call *call)
{
    struct reply *reply = &call->reply;

    if (!reply->is_dressed)
        dress(call);
    reply->phase = REPLY_HOLDING;
    reply->block_ended = reply->header_half_done = false;
    reply->was_redirected = reply->program_refused = false;
    reply->status = 0;
    reply->retry_after_ms = -1;
    reply->swallowed = reply->length = reply->flushed = 0;
}

bool reply_finish(struct call *call)
{
    if (call->reply.phase == REPLY_HOLDING && call->reply.length)
        return flush(call) == DONE;
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
    call_set(call, CURLOPT_WRITEDATA,
             handle->words[HANDLES_WRITEDATA] ? handles_pointer(handle, HANDLES_WRITEDATA) : stdout);
    if (handle->words[HANDLES_HEADER])
        call_set(call, CURLOPT_HEADER, (long)handle->words[HANDLES_HEADER]);
    call->reply.is_dressed = call->reply.program_refused = false;
}

void reply_clear(struct reply *reply)
{
    free(reply->lines);
}
