#include "curl/decide.h"

#include "curl/deliver.h"

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

size_t decide_keep(struct call *call)
{
    call->reply.phase = REPLY_COMMITTED;
    if (call->deadline.loop_looks_us)
        tell_gate(call);
    if (!call->deadline.is_plain)
        commit_looking(call);
    return call->reply.length ? deliver_held(call) : DELIVER_DONE;
}

void decide_swallow(struct call *call)
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
        decide_swallow(call);
        return DELIVER_DONE;
    }
    call->reply.length = call->reply.flushed = 0;
    return decide_keep(call);
}

size_t decide_whose(struct call *call)
{
    int status = call->reply.block.status;

    if (resume_is_on(call))
        return go_on(call);
    if (status >= 400) {
        enum verdict_kind kind = call_ended(call, outcome_of_status(status)).kind;
        if (kind == VERDICT_AGAIN || kind == VERDICT_REPLACE) {
            decide_swallow(call);
            return DELIVER_DONE;
        }
    }
    return decide_keep(call);
}
