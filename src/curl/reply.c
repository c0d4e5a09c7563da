#include "curl/reply.h"

#include <stdio.h> /* libcurl's default writer is fwrite(3) on the program's FILE */
#include <stdlib.h>
#include <string.h>

#include "curl/call.h"

enum {
    HELD_MAX = 1024 * 1024,
    ROOM_KEPT = 4096, /* for the next handle */
    SWALLOW_MAX =
        64 * 1024, /* a longer body of a reply that is thrown away costs more than a new connection */
    DONE = 0       /* handing over: all of it was taken */
};

/* ---- what the program gets, as libcurl would give it ---- */

static size_t write_by(curl_write_callback writer, void *data, char *bytes, size_t size)
{
    return writer ? writer(bytes, 1, size, data) : fwrite(bytes, 1, size, data);
}

static inline size_t deliver_body(struct call *call, char *bytes, size_t size)
{
    const struct handle *handle = call->handle;
    size_t taken = write_by((curl_write_callback)handle->words[HANDLES_WRITEFUNCTION],
                            handles_pointer(handle, HANDLES_WRITEDATA), bytes, size);

    if (taken != size && taken != CURL_WRITEFUNC_PAUSE)
        call->reply.program_refused = true;
    return taken;
}

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
static size_t deliver_header(struct call *call, char *line, size_t size, bool is_trailer)
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
            deadline_body(call, true);
            return taken;
        }
        if (taken != size)
            return taken == DONE ? 1 : taken;
        reply->flushed += sizeof size + size;
    }
    reply->phase = REPLY_COMMITTED;
    return DONE;
}

/* A proxy's answer to CONNECT, and what another host says after a redirect, are none of the host's. */
static bool is_good_answer(const struct call *call)
{
    const struct reply *reply = &call->reply;
    return call->is_http && reply->block.status / 100 == 2 && call->hop_sent && !reply->was_redirected;
}

/* Out of line: it is for event loops, and policies that call some replies slow. */
static __attribute__((noinline)) void tell_gate(struct call *call)
{
    if (is_good_answer(call))
        gate_answered(&call->gate);
}

/* Who else hears of it. A loop's call was told of already. */
static __attribute__((noinline)) void commit_looking(struct call *call)
{
    if (call->gate.wants_answer && !call->deadline.loop_looks_us)
        tell_gate(call);
    deadline_committed(call);
    if (call->keep)
        keep_head(call);
}

static size_t commit(struct call *call)
{
    call->reply.phase = REPLY_COMMITTED;
    if (call->deadline.loop_looks_us)
        tell_gate(call);
    if (!call->deadline.is_plain)
        commit_looking(call);
    return call->reply.length ? flush(call) : DONE;
}

/* ---- the one decision ---- */

static void swallow(struct call *call)
{
    call->reply.phase = REPLY_SWALLOWING;
    deadline_swallow(call);
}

/* The program has the head of the first reply, and none of this one's. */
static size_t go_on(struct call *call)
{
    int status = call->reply.block.status;
    bool fails = status >= 400;

    if (fails && call_ended(call, outcome_of_status(status)).kind != VERDICT_AGAIN)
        call->resume->is_lost = true;
    if (fails || !resume_accepts(call)) {
        swallow(call);
        return DONE;
    }
    call->reply.length = call->reply.flushed = 0;
    return commit(call);
}

/* The final block has ended: whose is this reply? Returns as flush does. */
static size_t decide(struct call *call)
{
    int status = call->reply.block.status;

    if (resume_is_on(call))
        return go_on(call);
    if (status >= 400) {
        enum verdict_kind kind = call_ended(call, outcome_of_status(status)).kind;
        if (kind == VERDICT_AGAIN || kind == VERDICT_REPLACE) {
            swallow(call);
            return DONE;
        }
    }
    return commit(call);
}

/* ---- the way of a line ---- */

/* libcurl will follow this block's Location: the headers that come next are another origin's, perhaps. */
static bool is_followed(const struct call *call)
{
    const struct block *block = &call->reply.block;
    return block->status / 100 == 3 && block->has_location && call->handle->words[HANDLES_FOLLOWLOCATION];
}

/*
 * Whether a block may be followed by another of the same transfer: then only its body, or the end of
 * the transfer, tells that it was the final one. A 401 or 407 may be answered by libcurl itself.
 */
static bool may_go_on(const struct call *call)
{
    int status = call->reply.block.status;

    return (status / 100 == 1 && status != 101) || is_followed(call) || status == 401 || status == 407 ||
           (status == 200 && !call->hop_sent); /* the proxy's answer to CONNECT */
}

static size_t answer(size_t flushed, size_t size)
{
    if (flushed == DONE)
        return size;
    return flushed == CURL_WRITEFUNC_PAUSE ? flushed : 0;
}

/* After the end of a block: the next request goes out on its own, perhaps to another origin. */
static void end_hop(struct call *call)
{
    if (is_followed(call)) {
        call->reply.was_redirected = true;
        call->hop_sent = !call->handle->libcurl->has_prereq;
        deadline_hop(call);
    }
}

static size_t end_block(struct call *call, size_t size)
{
    bool goes_on = may_go_on(call);

    end_hop(call);
    return goes_on ? size : answer(decide(call), size);
}

/* A line that the program will want to see, if the reply is kept. */
static size_t hold_line(struct call *call, char *line, size_t size)
{
    bool ends = block_read(&call->reply.block, line, size);

    bool is_held = hold(&call->reply, line, size);
    if (!is_held && resume_is_on(call)) {
        call->resume->is_lost = true;
        swallow(call);
        return size;
    }
    if (!is_held) { /* too much to keep: from here it is the program's */
        resume_free(call);
        keep_free(call);
        size_t flushed = commit(call);
        return flushed == DONE ? deliver_header(call, line, size, false) : answer(flushed, size);
    }
    return ends ? end_block(call, size) : size;
}

/* One that nobody wants to see: only what it says of the block counts. */
static __attribute__((noinline)) size_t read_any_line(struct call *call, const char *line, size_t size)
{
    struct reply *reply = &call->reply;
    bool ends = block_read(&reply->block, line, size);

    reply->is_quiet = block_is_success(&reply->block) && !ends;
    return ends ? end_block(call, size) : size;
}

/* Nearly always it begins a success, or ends it; nothing is held then, so nobody can refuse it. */
static size_t read_line(struct call *call, const char *line, size_t size)
{
    struct reply *reply = &call->reply;

    if (reply->is_quiet && call->hop_sent && block_is_blank(line, size)) {
        reply->block.has_ended = true;
        reply->is_quiet = false;
        commit(call);
        return size;
    }
    if (!block_begins_well(&reply->block, line, size))
        return read_any_line(call, line, size);
    reply->is_quiet = true;
    return size;
}

/* A block may come after the reply was committed: an upgrade, a 417, a proxy asked again. */
static size_t pass_line(struct call *call, char *line, size_t size)
{
    bool is_trailer = call->reply.block.has_ended;

    if (block_read(&call->reply.block, line, size))
        end_hop(call);
    return deliver_header(call, line, size, is_trailer && call->reply.block.has_ended);
}

static __attribute__((noinline)) size_t take_line(struct call *call, char *line, size_t size)
{
    switch (call->reply.phase) {
    case REPLY_HOLDING:
        if (!call->is_http) /* nothing can be held against it */
            return commit(call) == DONE ? pass_line(call, line, size) : 0;
        return hold_line(call, line, size);
    case REPLY_FLUSHING: /* the same line comes again; it is the last of those held */
        return answer(flush(call), size);
    case REPLY_COMMITTED:
        return pass_line(call, line, size);
    case REPLY_SWALLOWING:
        return size;
    }
    return size;
}

static size_t header_line(char *line, size_t one, size_t count, void *data)
{
    struct call *call = data;

    if (call->reply.is_quiet && line[0] > '\r')
        return one * count;
    if (call->reply.phase == REPLY_HOLDING && call->reply.is_skimmed)
        return read_line(call, line, one * count);
    return take_line(call, line, one * count);
}

static size_t swallow_body(struct reply *reply, size_t size)
{
    reply->swallowed += size;
    return reply->swallowed > SWALLOW_MAX || reply->block.content_length > SWALLOW_MAX ? 0 : size;
}

/* Bytes up to the cut, and then what libcurl takes for a program that refuses. */
static __attribute__((noinline)) size_t pass_until_cut(struct call *call, char *bytes, size_t size)
{
    struct reply *reply = &call->reply;
    size_t rest = size < reply->cut_after ? size : (size_t)reply->cut_after;
    size_t taken = rest ? deliver_body(call, bytes, rest) : 0;

    if (taken != rest)
        return taken;
    reply->cut_after -= rest;
    reply->was_cut = rest < size;
    return rest;
}

/* On its way to the program, by those who look at it. */
static size_t hand_over(struct call *call, char *bytes, size_t size)
{
    size_t taken = call->reply.is_cut ? pass_until_cut(call, bytes, size) : deliver_body(call, bytes, size);

    if (call->keep && taken <= size)
        keep_body(call, bytes, taken);
    return taken;
}

/* What the program has of the body already is left out; what it takes is counted. */
static __attribute__((noinline)) size_t pass_counting(struct call *call, char *bytes, size_t size)
{
    struct resume *resume = call->resume;
    size_t known = size < resume->skip ? size : (size_t)resume->skip;
    size_t taken = 0;

    if (known < size)
        taken = hand_over(call, bytes + known, size - known);
    if (taken == CURL_WRITEFUNC_PAUSE)
        return taken; /* all of it comes again */
    resume->skip -= known;
    if (taken > size - known) /* an error's number */
        return 0;
    resume->delivered += taken;
    resume->came += taken;
    return known + taken;
}

static size_t pass_looking(struct call *call, char *bytes, size_t size)
{
    return call->resume ? pass_counting(call, bytes, size) : hand_over(call, bytes, size);
}

static inline size_t pass_body(struct call *call, char *bytes, size_t size)
{
    if (call->deadline.is_plain) /* then nothing is owed, either */
        return deliver_body(call, bytes, size);
    size_t taken = CURL_WRITEFUNC_PAUSE;
    if (!call->reply.owes_pause)
        taken = pass_looking(call, bytes, size);
    call->reply.owes_pause = false;
    deadline_body(call, taken == CURL_WRITEFUNC_PAUSE);
    return taken;
}

static __attribute__((noinline)) size_t take_body(struct call *call, char *bytes, size_t size)
{
    struct reply *reply = &call->reply;
    size_t flushed = DONE;

    if (reply->phase == REPLY_HOLDING)
        flushed = call->is_http && reply->block.status ? decide(call) : commit(call);
    else if (reply->phase == REPLY_FLUSHING)
        flushed = flush(call);
    if (flushed != DONE)
        return answer(flushed, size);
    if (reply->phase == REPLY_SWALLOWING)
        return swallow_body(reply, size);
    return pass_body(call, bytes, size);
}

static size_t body_bytes(char *bytes, size_t one, size_t count, void *data)
{
    struct call *call = data;

    if (call->reply.phase == REPLY_COMMITTED)
        return pass_body(call, bytes, one * count);
    return take_body(call, bytes, one * count);
}

/* ---- dressing ---- */

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
    libcurl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_line);
    libcurl->easy_setopt(easy, CURLOPT_HEADERDATA, call);
    libcurl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_bytes);
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
