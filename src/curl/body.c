#include "curl/body.h"

#include "curl/decide.h"
#include "curl/deliver.h"

enum {
    SWALLOW_MAX =
        64 * 1024 /* a longer body of a reply that is thrown away costs more than a new connection */
};

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
    size_t new = resume_room(resume, size - known), taken = 0;

    if (new)
        taken = hand_over(call, bytes + known, new);
    if (taken == CURL_WRITEFUNC_PAUSE)
        return taken; /* all of it comes again */
    resume->skip -= known;
    if (taken > new) /* an error's number */
        return 0;
    resume->delivered += taken;
    resume->came += taken;
    return taken == new ? size : known + taken;
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
    size_t flushed = DELIVER_DONE;

    if (reply->phase == REPLY_HOLDING)
        flushed = call->is_http && reply->block.status ? decide_whose(call) : decide_keep(call);
    else if (reply->phase == REPLY_FLUSHING)
        flushed = deliver_held(call);
    if (flushed != DELIVER_DONE)
        return deliver_answer(flushed, size);
    if (reply->phase == REPLY_SWALLOWING)
        return swallow_body(reply, size);
    return pass_body(call, bytes, size);
}

size_t body_take(char *bytes, size_t one, size_t count, void *data)
{
    struct call *call = data;

    if (call->reply.phase == REPLY_COMMITTED)
        return pass_body(call, bytes, one * count);
    return take_body(call, bytes, one * count);
}
