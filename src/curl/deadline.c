#include "curl/deadline.h"

#include "curl/call.h"
#include "sys/clock.h"

enum {
    SWALLOW_MS = 1000,
    LIBCURL_CONNECT_MS = 300000, /* its default where the program sets none */
    EARLY_US = 2000              /* libcurl counts milliseconds and may end a transfer that much early */
};

static uint64_t earlier(uint64_t a_us, uint64_t b_us)
{
    if (!a_us || !b_us)
        return a_us ? a_us : b_us;
    return a_us < b_us ? a_us : b_us;
}

/* CURLOPT_TIMEOUT_MS counts from the attempt's start, and 0 means none: never set 0 for "now". */
static void wear(struct call *call, uint64_t ends_us)
{
    struct deadline *deadline = &call->deadline;
    uint64_t started_us = deadline->attempt_started_us;
    long ms = 0;

    if (ends_us)
        ms = ends_us > started_us + 1000 ? (long)((ends_us - started_us) / 1000) : 1;
    if (ms == deadline->worn_ms)
        return;
    deadline->worn_ms = ms;
    call_set(call, CURLOPT_TIMEOUT_MS, ms);
}

static void hold_to(struct call *call, uint64_t ours_us)
{
    call->deadline.ours_ends_us = ours_us;
    wear(call, earlier(ours_us, call->deadline.program_ends_us));
}

void deadline_call(struct call *call)
{
    struct deadline *deadline = &call->deadline;
    uint64_t program_ms = call->handle->words[HANDLES_TIMEOUT_MS];

    deadline->call_started_us = clock_now_us();
    deadline->program_ends_us = program_ms ? deadline->call_started_us + program_ms * 1000 : 0;
    deadline->worn_ms = (long)program_ms;
    call->gate.deadline_us = earlier(call->gate.deadline_us, deadline->program_ends_us);
}

static bool applies(const struct call *call)
{
    return call->gate.policy->settings->groups & POLICY_TIMEOUT;
}

static uint64_t total_ends_us(const struct call *call)
{
    uint32_t total_ms = call->gate.policy->settings->timeout.total_ms;
    return total_ms ? call->deadline.call_started_us + (uint64_t)total_ms * 1000 : 0;
}

static void limit_connect(struct call *call)
{
    uint64_t program_ms = call->handle->words[HANDLES_CONNECTTIMEOUT_MS];
    uint32_t policy_ms = call->gate.policy->settings->timeout.connect_ms;

    if (!policy_ms || policy_ms >= (program_ms ? program_ms : LIBCURL_CONNECT_MS))
        return;
    call->deadline.connect_ms = policy_ms;
    call_set(call, CURLOPT_CONNECTTIMEOUT_MS, (long)policy_ms);
}

static void limit_idle(struct call *call)
{
    const struct handle *handle = call->handle;
    uint32_t idle_ms = call->gate.policy->settings->timeout.idle_ms;

    call->deadline.idle_is_ours =
        idle_ms && !handle->words[HANDLES_LOW_SPEED_TIME] && !handle->words[HANDLES_LOW_SPEED_LIMIT];
    if (!call->deadline.idle_is_ours)
        return;
    call_set(call, CURLOPT_LOW_SPEED_LIMIT, 1L);
    call_set(call, CURLOPT_LOW_SPEED_TIME, (long)((idle_ms + 999) / 1000)); /* libcurl counts in seconds */
}

void deadline_attempt(struct call *call)
{
    const struct policy_timeouts *limits = &call->gate.policy->settings->timeout;
    struct deadline *deadline = &call->deadline;
    uint64_t first_byte_us = 0;

    deadline->attempt_started_us = clock_now_us();
    deadline->connect_ms = 0;
    deadline->idle_is_ours = false;
    if (!applies(call)) {
        hold_to(call, 0);
        return;
    }
    limit_connect(call);
    if (call->handle->libcurl->version >= 0x075700)
        call_set(call, CURLOPT_QUICK_EXIT, 1L); /* a stalled resolver thread is not waited for */
    if (limits->attempt_ms && limits->connect_ms && !upload_is_long(call))
        first_byte_us =
            deadline->attempt_started_us + ((uint64_t)limits->attempt_ms + limits->connect_ms) * 1000;
    hold_to(call, earlier(first_byte_us, total_ends_us(call)));
}

void deadline_sent(struct call *call)
{
    uint32_t attempt_ms = call->gate.policy->settings->timeout.attempt_ms;
    uint64_t first_byte_us = clock_now_us() + (uint64_t)attempt_ms * 1000;

    if (!applies(call) || !attempt_ms)
        return;
    hold_to(call, earlier(first_byte_us, total_ends_us(call)));
}

void deadline_committed(struct call *call)
{
    uint32_t transfer_ms = call->gate.policy->settings->timeout.transfer_ms;

    if (!applies(call))
        return;
    limit_idle(call);
    hold_to(call, transfer_ms ? call->deadline.call_started_us + (uint64_t)transfer_ms * 1000 : 0);
}

void deadline_swallow(struct call *call)
{
    hold_to(call, clock_now_us() + SWALLOW_MS * 1000);
}

bool deadline_was_ours(const struct call *call)
{
    const struct deadline *deadline = &call->deadline;
    uint64_t now_us = clock_now_us() + EARLY_US;

    if (deadline->program_ends_us && now_us >= deadline->program_ends_us)
        return false;
    if (deadline->ours_ends_us && now_us >= deadline->ours_ends_us)
        return true;
    if (deadline->connect_ms && !call->sent &&
        now_us >= deadline->attempt_started_us + (uint64_t)deadline->connect_ms * 1000)
        return true;
    return deadline->idle_is_ours;
}

void deadline_restore(struct call *call)
{
    const uint64_t *words = call->handle->words;

    if (call->deadline.worn_ms != (long)words[HANDLES_TIMEOUT_MS])
        call_set(call, CURLOPT_TIMEOUT_MS, (long)words[HANDLES_TIMEOUT_MS]);
    if (call->deadline.connect_ms)
        call_set(call, CURLOPT_CONNECTTIMEOUT_MS, (long)words[HANDLES_CONNECTTIMEOUT_MS]);
    if (call->deadline.idle_is_ours) {
        call_set(call, CURLOPT_LOW_SPEED_LIMIT, (long)words[HANDLES_LOW_SPEED_LIMIT]);
        call_set(call, CURLOPT_LOW_SPEED_TIME, (long)words[HANDLES_LOW_SPEED_TIME]);
    }
    if (applies(call) && call->handle->libcurl->version >= 0x075700)
        call_set(call, CURLOPT_QUICK_EXIT, (long)words[HANDLES_QUICK_EXIT]);
}
