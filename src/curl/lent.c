#include "curl/lent.h"

#include "curl/call.h"

enum {
    LIBCURL_CONNECT_MS = 300000, /* its default where the program sets none */
    QUICK_EXIT_SINCE = 0x075700, /* 7.87.0 */
    CONN_ID_SINCE = 0x080200
};

static void wear_ms(struct call *call, long ms)
{
    if (ms == call->deadline.worn_ms)
        return;
    call->deadline.worn_ms = ms;
    call_set(call, CURLOPT_TIMEOUT_MS, ms);
}

/* CURLOPT_TIMEOUT_MS counts from the attempt's start, and 0 means none: never set 0 for "now". */
void lent_until(struct call *call, uint64_t ends_us)
{
    uint64_t started_us = call->deadline.attempt_started_us;

    if (!ends_us)
        wear_ms(call, 0);
    else
        wear_ms(call, ends_us > started_us + 1000 ? (long)((ends_us - started_us) / 1000) : 1);
}

/* libcurl's clock began a little later than ours: "what has passed" might not have, so 1 ms it is. */
void lent_end_now(struct call *call)
{
    call->deadline.is_lent = true;
    wear_ms(call, 1);
}

/* As the program wants it: what is left of its own, where attempts went before. */
void lent_give_back(struct call *call)
{
    call->deadline.is_lent = false;
    lent_until(call, call->deadline.program_ends_us);
}

/*
 * From libcurl 8.8 on CURLOPT_CONNECTTIMEOUT runs in its queue for a connection, too. There the limit is kept
 * by us, where libcurl tells when a transfer has left the queue.
 */
bool lent_is_told_of_queue(const struct call *call)
{
    return call->deadline.may_queue && call->handle->libcurl->version >= CONN_ID_SINCE;
}

void lent_limit_connect(struct call *call)
{
    uint64_t program_ms = call->handle->words[HANDLES_CONNECTTIMEOUT_MS];
    const struct policy_timeouts *limits = lent_is_told_of_queue(call) ? NULL : call_limits(call);
    uint32_t policy_ms = limits ? limits->connect_ms : 0;
    bool is_ours = policy_ms && policy_ms < (program_ms ? program_ms : LIBCURL_CONNECT_MS);

    if (call->deadline.connect_ms == (is_ours ? policy_ms : 0))
        return;
    call->deadline.connect_ms = is_ours ? policy_ms : 0;
    call_set(call, CURLOPT_CONNECTTIMEOUT_MS, (long)(is_ours ? policy_ms : program_ms));
}

void lent_exit_quickly(struct call *call)
{
    if (call->deadline.quick_exit_is_worn || !call_limits(call) ||
        call->handle->libcurl->version < QUICK_EXIT_SINCE)
        return;
    call_set(call, CURLOPT_QUICK_EXIT, 1L); /* a stalled resolver thread is not waited for */
    call->deadline.quick_exit_is_worn = true;
}

/*
 * The way out for `idle` where polls are not seen. It is coarse: libcurl takes the mean speed of the last
 * five seconds, and counts in seconds.
 */
void lent_limit_idle(struct call *call)
{
    const struct handle *handle = call->handle;
    const struct policy_timeouts *limits = call_limits(call);
    uint32_t idle_ms = limits ? limits->idle_ms : 0;

    if (!idle_ms || deadline_sees_polls(call) || handle->words[HANDLES_LOW_SPEED_TIME] ||
        handle->words[HANDLES_LOW_SPEED_LIMIT])
        return;
    call->deadline.idle_is_ours = true;
    call_set(call, CURLOPT_LOW_SPEED_LIMIT, 1L);
    call_set(call, CURLOPT_LOW_SPEED_TIME, (long)((idle_ms + 999) / 1000));
}

void lent_lift_idle(struct call *call)
{
    if (!call->deadline.idle_is_ours)
        return;
    call->deadline.idle_is_ours = false;
    call_set(call, CURLOPT_LOW_SPEED_LIMIT, (long)call->handle->words[HANDLES_LOW_SPEED_LIMIT]);
    call_set(call, CURLOPT_LOW_SPEED_TIME, (long)call->handle->words[HANDLES_LOW_SPEED_TIME]);
}

void lent_restore(struct call *call)
{
    const uint64_t *words = call->handle->words;
    struct deadline *deadline = &call->deadline;

    lent_lift_idle(call);
    if (deadline->worn_ms != (long)words[HANDLES_TIMEOUT_MS])
        call_set(call, CURLOPT_TIMEOUT_MS, (long)words[HANDLES_TIMEOUT_MS]);
    if (deadline->connect_ms)
        call_set(call, CURLOPT_CONNECTTIMEOUT_MS, (long)words[HANDLES_CONNECTTIMEOUT_MS]);
    if (deadline->quick_exit_is_worn)
        call_set(call, CURLOPT_QUICK_EXIT, (long)words[HANDLES_QUICK_EXIT]);
    deadline->worn_ms = (long)words[HANDLES_TIMEOUT_MS];
    deadline->connect_ms = 0;
    deadline->quick_exit_is_worn = false;
}
