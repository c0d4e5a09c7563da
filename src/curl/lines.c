#include "curl/lines.h"

#include "curl/decide.h"
#include "curl/deliver.h"

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
    return goes_on ? size : deliver_answer(decide_whose(call), size);
}

/* A line that the program will want to see, if the reply is kept. */
static size_t hold_line(struct call *call, char *line, size_t size)
{
    bool ends = block_read(&call->reply.block, line, size);

    bool is_held = deliver_hold(&call->reply, line, size);
    if (!is_held && resume_is_on(call)) {
        call->resume->is_lost = true;
        decide_swallow(call);
        return size;
    }
    if (!is_held) { /* too much to keep: from here it is the program's */
        resume_free(call);
        keep_free(call);
        size_t flushed = decide_keep(call);
        return flushed == DELIVER_DONE ? deliver_line(call, line, size, false)
                                       : deliver_answer(flushed, size);
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
        decide_keep(call);
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
    return deliver_line(call, line, size, is_trailer && call->reply.block.has_ended);
}

static __attribute__((noinline)) size_t take_line(struct call *call, char *line, size_t size)
{
    switch (call->reply.phase) {
    case REPLY_HOLDING:
        if (!call->is_http) /* nothing can be held against it */
            return decide_keep(call) == DELIVER_DONE ? pass_line(call, line, size) : 0;
        return hold_line(call, line, size);
    case REPLY_FLUSHING: /* the same line comes again; it is the last of those held */
        return deliver_answer(deliver_held(call), size);
    case REPLY_COMMITTED:
        return pass_line(call, line, size);
    case REPLY_SWALLOWING:
        return size;
    }
    return size;
}

size_t lines_take(char *line, size_t one, size_t count, void *data)
{
    struct call *call = data;

    if (call->reply.is_quiet && line[0] > '\r')
        return one * count;
    if (call->reply.phase == REPLY_HOLDING && call->reply.is_skimmed)
        return read_line(call, line, one * count);
    return take_line(call, line, one * count);
}
