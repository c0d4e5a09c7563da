#include "answer.h"

#include <string.h>

static const char etag[] = "\"upstream\"";

enum { ANSWER_LINE_MOST = 4096, ANSWER_LINE_LEAST = 12, ANSWER_ERROR_LINES = 64 };

static bool matches_etag(const struct request *request)
{
    return request->none_match.length &&
           memmem(request->none_match.at, request->none_match.length, etag, sizeof etag - 1);
}

static uint64_t status_of(const struct behave *b, const struct request *request)
{
    if (b->fault.auth && !request->authorized)
        return 401;
    if (b->fault.status)
        return b->fault.status;
    if (b->fault.redirect)
        return 302;
    return b->etag && matches_etag(request) ? 304 : 200;
}

static void add_header(struct reply *reply, const char *name, const char *value)
{
    buffer_add_text(&reply->headers, name);
    buffer_add_text(&reply->headers, ": ");
    buffer_add_text(&reply->headers, value);
    buffer_add_text(&reply->headers, "\r\n");
}

static void add_filler_line(struct buffer *headers, size_t length)
{
    static const char name[] = "X-Fill: ";
    size_t padding = length - (sizeof name - 1) - 2;
    buffer_add_text(headers, name);
    memset(buffer_reserve(headers, padding), 'x', padding);
    buffer_commit(headers, padding);
    buffer_add_text(headers, "\r\n");
}

/* Exactly `left` bytes, as lines that are neither longer than 4 KB nor too short to be one. */
static void add_filler(struct reply *reply, size_t left)
{
    while (left) {
        size_t line = left < ANSWER_LINE_MOST ? left : ANSWER_LINE_MOST;
        if (left > line && left - line < ANSWER_LINE_LEAST)
            line -= ANSWER_LINE_LEAST;
        add_filler_line(&reply->headers, line);
        left -= line;
    }
}

static void add_headers(const struct behave *b, struct reply *reply)
{
    if (reply->status == 401 && b->fault.auth)
        add_header(reply, "WWW-Authenticate", "Basic realm=\"x\"");
    if (b->fault.redirect && reply->status / 100 == 3)
        add_header(reply, "Location", b->fault.redirect);
    if (b->retry_after && reply->status >= 400)
        add_header(reply, "Retry-After", b->retry_after);
    if (b->etag && reply->status < 400)
        add_header(reply, "ETag", etag);
    if (b->cookie)
        buffer_addf(&reply->headers, "Set-Cookie: %s=1\r\n", b->cookie);
    add_filler(reply, (size_t)b->header_bytes);
}

static void add_default_body(const struct behave *b, struct reply *reply)
{
    if (reply->status >= 400)
        buffer_addf(&reply->body, "error %u\n", reply->status);
    else if (reply->status >= 300)
        buffer_add_text(&reply->body, b->fault.redirect ? "moved\n" : "not here\n");
    else
        buffer_add_text(&reply->body, "ok\n");
}

/* An error's body never looks like a good one, whatever its size, so that a leaked one shows. */
static void add_sized_body(uint64_t length, struct reply *reply)
{
    reply->source = reply->status >= 400 ? REPLY_FROM_REPEAT : REPLY_FROM_PATTERN;
    reply->length = length;
    for (int i = 0; i < ANSWER_ERROR_LINES && reply->source == REPLY_FROM_REPEAT; i++)
        buffer_addf(&reply->body, "error %u\n", reply->status);
}

static void add_body(const struct behave *b, const struct request *request, struct reply *reply)
{
    if (reply->status == 200 && b->echo == BEHAVE_ECHO_REQUEST) {
        buffer_add(&reply->body, request->head.at, request->head.length);
    } else if (reply->status == 200 && b->echo == BEHAVE_ECHO_BODY) {
        reply->source = REPLY_FROM_UPLOAD;
    } else if (b->body != BEHAVE_ABSENT) {
        add_sized_body(b->body, reply);
    } else if (b->text) {
        buffer_addf(&reply->body, "%s\n", b->text);
    } else {
        add_default_body(b, reply);
    }
}

static enum reply_cut cut_at(int place)
{
    return place == BEHAVE_BODY ? REPLY_HALF_BODY : REPLY_BEFORE_HEAD;
}

static void set_fault(const struct behave *b, struct reply *reply)
{
    const struct behave_fault *fault = &b->fault;
    if (fault->reset) {
        reply->fault = REPLY_RESET;
        reply->cut = cut_at(fault->reset);
    } else if (fault->close || fault->lose) {
        reply->fault = REPLY_CLOSE;
        reply->cut = cut_at(fault->close);
    } else if (fault->stall) {
        reply->fault = REPLY_STALL;
        reply->cut = cut_at(fault->stall);
        reply->stall_ms = b->stall_ms;
    } else if (fault->length) {
        reply->fault = REPLY_CLOSE;
        reply->cut = REPLY_AFTER_BODY;
        reply->overstates = true;
    }
}

void answer_compose(const struct behave *behave, const struct request *request, struct reply *reply)
{
    reply->status = (unsigned)status_of(behave, request);
    reply->delay_ms = behave->pace.delay_ms;
    reply->bytes_per_second = behave->pace.bytes_per_second;
    reply->chunked = behave->chunked != 0;
    set_fault(behave, reply);
    reply->early = behave->early && request->minor > 0 &&
                   (reply->fault == REPLY_NO_FAULT || reply->cut != REPLY_BEFORE_HEAD);
    add_headers(behave, reply);
    add_body(behave, request, reply);
}
