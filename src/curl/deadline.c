#include "curl/deadline.h"

#include <stdatomic.h>

#include "curl/call.h"
#include "sys/clock.h"

enum {
    SWALLOW_MS = 1000,
    LIBCURL_CONNECT_MS = 300000, /* its default where the program sets none */
    QUICK_EXIT_SINCE = 0x075700, /* 7.87.0 */
    LOOK_US = 100000,            /* between looks at what tells us nothing by itself */
    PATIENCE_MS = 5000,          /* libcurl's loop waits for a second at most: some of its first waits */
    FIRST_POLL_MS = 1000, /* libcurl's easy loop polls once before the transfer begins, which does not wait */
    EARLY_US = 2000       /* libcurl counts milliseconds and may end a transfer that much early */
};

/* Once one poll of a flavour's loop was seen, all are. */
static atomic_bool polls_are_seen[LIBCURL_FLAVOUR_COUNT];

/* Whether gusset comes by often enough to keep the limits itself. */
static bool sees_polls(const struct call *call)
{
    return call->deadline.loop_looks_us ||
           atomic_load_explicit(&polls_are_seen[call->handle->libcurl->flavour], memory_order_relaxed);
}

static uint64_t earlier(uint64_t a_us, uint64_t b_us)
{
    if (!a_us || !b_us)
        return a_us ? a_us : b_us;
    return a_us < b_us ? a_us : b_us;
}

static const struct policy_timeouts *limits_of(const struct call *call)
{
    return &call->gate.policy->settings->timeout;
}

static bool applies(const struct call *call)
{
    return call->gate.policy->settings->groups & POLICY_TIMEOUT;
}

/* What most requests have, none, leaves at once. */
static bool is_long_to_send(const struct call *call)
{
    enum handles_request kind = call->handle->request;
    return kind != HANDLES_GET && kind != HANDLES_HEAD && upload_is_long(call);
}

static uint32_t idle_limit_ms(const struct call *call)
{
    return applies(call) ? limits_of(call)->idle_ms : 0;
}

static uint64_t after_us(uint64_t moment_us, uint32_t limit_ms)
{
    return limit_ms ? moment_us + (uint64_t)limit_ms * 1000 : 0;
}

/* The whole call, body included. */
static uint64_t transfer_ends_us(const struct call *call)
{
    return after_us(call->deadline.call_started_us, limits_of(call)->transfer_ms);
}

/* Until a reply begins to reach the program. */
static uint64_t total_ends_us(const struct call *call)
{
    uint32_t total_ms = call->deadline.has_begun ? 0 : limits_of(call)->total_ms;

    return earlier(after_us(call->deadline.call_started_us, total_ms), transfer_ends_us(call));
}

/* ---- which limit holds ---- */

/*
 * Until the request is sent nobody knows whether a connection must be made first; the connecting has
 * its own limit, so the longer of the two is never too short.
 */
static uint64_t first_byte_ends_us(const struct call *call)
{
    const struct policy_timeouts *limits = limits_of(call);
    uint32_t longer_ms = limits->attempt_ms > limits->connect_ms ? limits->attempt_ms : limits->connect_ms;

    if (!limits->attempt_ms)
        return 0;
    if (call->deadline.sent_us)
        return call->deadline.sent_us + (uint64_t)limits->attempt_ms * 1000;
    if (!limits->connect_ms || upload_is_long(call))
        return 0;
    return call->deadline.attempt_started_us + (uint64_t)longer_ms * 1000;
}

/* The whole transfer, and the silence since the last byte. */
static uint64_t body_ends_us(const struct call *call)
{
    const struct deadline *deadline = &call->deadline;
    uint64_t idle_us =
        deadline->last_byte_us ? deadline->last_byte_us + (uint64_t)idle_limit_ms(call) * 1000 : 0;

    return earlier(transfer_ends_us(call), idle_us);
}

static uint64_t limit_now_us(const struct call *call)
{
    switch (call->reply.phase) {
    case REPLY_HOLDING:
        return applies(call) && !call->deadline.queued_us && !call->deadline.paused_us
                   ? earlier(first_byte_ends_us(call), total_ends_us(call))
                   : 0;
    case REPLY_SWALLOWING:
        return call->deadline.swallow_us + SWALLOW_MS * 1000;
    case REPLY_FLUSHING:
    case REPLY_COMMITTED:
        return applies(call) ? body_ends_us(call) : 0;
    }
    return 0;
}

/* ---- what libcurl is told ---- */

static void wear_ms(struct call *call, long ms)
{
    if (ms == call->deadline.worn_ms)
        return;
    call->deadline.worn_ms = ms;
    call_set(call, CURLOPT_TIMEOUT_MS, ms);
}

/* CURLOPT_TIMEOUT_MS counts from the attempt's start, and 0 means none: never set 0 for "now". */
static void wear(struct call *call, uint64_t ends_us)
{
    uint64_t started_us = call->deadline.attempt_started_us;

    if (!ends_us)
        wear_ms(call, 0);
    else
        wear_ms(call, ends_us > started_us + 1000 ? (long)((ends_us - started_us) / 1000) : 1);
}

/* As the program wants it: what is left of its own, where attempts went before. */
static void give_back(struct call *call)
{
    call->deadline.is_lent = false;
    wear(call, call->deadline.program_ends_us);
}

/* The event loop of a program need not look before the nearest limit of its calls, which may only be too
 * near. */
static void call_for_look(struct call *call, uint64_t when_us)
{
    uint64_t *looks_us = call->deadline.loop_looks_us;

    if (looks_us)
        *looks_us = earlier(*looks_us, when_us);
}

/* A moment that limits depend on has changed. */
static void look_again(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    if (deadline->is_plain)
        return;
    if (deadline->loop_looks_us)
        call_for_look(call, limit_now_us(call));
    if (!sees_polls(call)) {
        deadline->is_lent = true;
        wear(call, earlier(limit_now_us(call), deadline->program_ends_us));
    } else if (deadline->is_lent) {
        give_back(call);
    }
}

static uint32_t shorter_ms(uint32_t most_ms, uint32_t limit_ms)
{
    return limit_ms && limit_ms < most_ms ? limit_ms : most_ms;
}

/*
 * Every limit counts from the attempt's start or later, in a call that has waited for nothing before it:
 * while libcurl's waits since then add up to less than the shortest, none can have passed, and no clock is
 * read. Only for the first waits, so that time which passes outside of them is not overlooked for long.
 */
static int first_patience_ms(const struct call *call)
{
    const struct policy_timeouts *limits = limits_of(call);

    if (!applies(call))
        return PATIENCE_MS;
    uint32_t ms = shorter_ms(shorter_ms(PATIENCE_MS, limits->attempt_ms), limits->total_ms);
    return (int)shorter_ms(shorter_ms(ms, limits->transfer_ms), limits->idle_ms);
}

/* No limit of the attempt can end earlier. What ends later is found out when the event loop looks then. */
static uint64_t first_end_us(const struct call *call)
{
    const struct deadline *deadline = &call->deadline;
    const struct policy_timeouts *limits = limits_of(call);

    if (!deadline->loop_looks_us || !applies(call))
        return 0;
    return earlier(after_us(deadline->attempt_started_us, limits->attempt_ms), total_ends_us(call));
}

static void limit_connect(struct call *call)
{
    uint64_t program_ms = call->handle->words[HANDLES_CONNECTTIMEOUT_MS];
    uint32_t policy_ms = applies(call) ? limits_of(call)->connect_ms : 0;
    bool is_ours = policy_ms && policy_ms < (program_ms ? program_ms : LIBCURL_CONNECT_MS);

    if (call->deadline.connect_ms == (is_ours ? policy_ms : 0))
        return;
    call->deadline.connect_ms = is_ours ? policy_ms : 0;
    call_set(call, CURLOPT_CONNECTTIMEOUT_MS, (long)(is_ours ? policy_ms : program_ms));
}

static void exit_quickly(struct call *call)
{
    if (call->deadline.quick_exit_is_worn || !applies(call) ||
        call->handle->libcurl->version < QUICK_EXIT_SINCE)
        return;
    call_set(call, CURLOPT_QUICK_EXIT, 1L); /* a stalled resolver thread is not waited for */
    call->deadline.quick_exit_is_worn = true;
}

/*
 * The way out for `idle` where polls are not seen. It is coarse: libcurl takes the mean speed of the last
 * five seconds, and counts in seconds.
 */
static void limit_speed(struct call *call)
{
    const struct handle *handle = call->handle;
    uint32_t idle_ms = idle_limit_ms(call);

    if (!idle_ms || sees_polls(call) || handle->words[HANDLES_LOW_SPEED_TIME] ||
        handle->words[HANDLES_LOW_SPEED_LIMIT])
        return;
    call->deadline.idle_is_ours = true;
    call_set(call, CURLOPT_LOW_SPEED_LIMIT, 1L);
    call_set(call, CURLOPT_LOW_SPEED_TIME, (long)((idle_ms + 999) / 1000));
}

static void lift_speed(struct call *call)
{
    if (!call->deadline.idle_is_ours)
        return;
    call->deadline.idle_is_ours = false;
    call_set(call, CURLOPT_LOW_SPEED_LIMIT, (long)call->handle->words[HANDLES_LOW_SPEED_LIMIT]);
    call_set(call, CURLOPT_LOW_SPEED_TIME, (long)call->handle->words[HANDLES_LOW_SPEED_TIME]);
}

/* ---- the course of a call ---- */

/* The program's own limit as a moment. libcurl 7.88 takes a negative one, which then means none. */
static void read_program_limit(struct call *call)
{
    int64_t program_ms = (int64_t)call->handle->words[HANDLES_TIMEOUT_MS];

    call->deadline.program_ends_us = program_ms > 0 ? call->gate.opened_us + (uint64_t)program_ms * 1000 : 0;
    call->gate.deadline_us = earlier(call->gate.deadline_us, call->deadline.program_ends_us);
}

/* libcurl has just heard the program's values, so what we wore is off. */
void deadline_program_set(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    read_program_limit(call);
    deadline->is_plain = false;
    deadline->worn_ms = (long)call->handle->words[HANDLES_TIMEOUT_MS];
    give_back(call);
    look_again(call);
    deadline->connect_ms = 0;
    limit_connect(call);
    if (deadline->idle_is_ours) {
        deadline->idle_is_ours = false;
        limit_speed(call);
    }
}

void deadline_call(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    deadline->call_started_us = call->gate.opened_us;
    deadline->paused_us = 0;
    deadline->has_begun = false;
    call->reply.owes_pause = false;
    if (!call->handle->is_dressed)
        deadline->worn_ms = (long)call->handle->words[HANDLES_TIMEOUT_MS];
    read_program_limit(call);
}

static __attribute__((noinline)) void dress(struct call *call)
{
    struct deadline *deadline = &call->deadline;
    uint64_t program_ms = call->handle->words[HANDLES_TIMEOUT_MS];
    bool is_seen = sees_polls(call);

    deadline->is_plain = false;
    lift_speed(call);
    limit_connect(call);
    exit_quickly(call);
    if (call->gate.attempt > 1 || deadline->worn_ms != (long)program_ms)
        give_back(call);
    if (!is_seen || deadline->loop_looks_us || deadline->is_lent)
        look_again(call);
    deadline->first_patience_ms = is_seen ? first_patience_ms(call) : 0;
    deadline->is_plain = is_seen && !deadline->is_lent && !idle_limit_ms(call) &&
                         deadline->worn_ms == (long)program_ms && !deadline->paused_us && !call->resume &&
                         !call->keep;
}

void deadline_attempt(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    bool has_waited = call->gate.attempt > 1 || call->gate.has_waited;

    deadline->attempt_started_us = has_waited ? clock_now_us() : deadline->call_started_us;
    deadline->queued_us = deadline->may_queue ? deadline->attempt_started_us : 0;
    deadline->sent_us = deadline->last_byte_us = 0;
    if (!call->handle->is_settled || !deadline->is_plain || !sees_polls(call))
        dress(call);
    call_for_look(call, first_end_us(call));
    /* The last byte of a long upload is looked for at each wait; a program's event loop waits unseen. */
    bool is_watched = has_waited || deadline->loop_looks_us || is_long_to_send(call);
    deadline->patience_ms = is_watched ? 0 : deadline->first_patience_ms;
}

void deadline_repeat(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    deadline->call_started_us = deadline->attempt_started_us = call->gate.opened_us;
    deadline->sent_us = 0;
    deadline->patience_ms = deadline->first_patience_ms;
    if (call->handle->words[HANDLES_TIMEOUT_MS])
        read_program_limit(call);
}

/* Nothing was waited for since the attempt began: it has begun only now. */
static bool has_waited_for_nothing(const struct call *call)
{
    const struct deadline *deadline = &call->deadline;

    return deadline->is_plain && !deadline->loop_looks_us && deadline->patience_ms &&
           call->handle->libcurl->never_blocks &&
           deadline->first_patience_ms - deadline->patience_ms <= FIRST_POLL_MS + 1;
}

/* Time that was not the call's to spend. */
static void leave_out(struct call *call, uint64_t us)
{
    call->deadline.call_started_us += us;
    call->gate.deadline_us = earlier(applies(call) ? total_ends_us(call) : 0, call->deadline.program_ends_us);
}

/* Returns whether it may have been there. */
static bool leave_queue(struct call *call, uint64_t now_us)
{
    if (!call->deadline.queued_us)
        return false;
    leave_out(call, now_us - call->deadline.queued_us);
    call->deadline.queued_us = 0;
    return true;
}

/*
 * A transfer that waits in libcurl's queue for one of the program's few connections has not begun, and nobody
 * can see whether it waits. Until its request is about to be sent only the limit on connecting holds, which
 * is libcurl's to keep and begins when it has left the queue. (A libcurl that does not tell when it sends
 * keeps us waiting until the reply.)
 */
void deadline_hop(struct call *call)
{
    if (call->deadline.may_queue)
        call->deadline.queued_us = clock_now_us();
}

static __attribute__((noinline)) void note_sending(struct call *call)
{
    uint64_t now_us = clock_now_us();

    bool was_queued = leave_queue(call, now_us);
    call->deadline.sent_us = is_long_to_send(call) ? 0 : now_us;
    if (!call->deadline.sent_us)
        call_for_look(call, now_us + LOOK_US);
    else if (was_queued) /* the look at its first limit may have been and gone */
        call_for_look(call, limit_now_us(call));
    look_again(call);
}

void deadline_sends(struct call *call)
{
    if (has_waited_for_nothing(call))
        call->deadline.sent_us = call->deadline.attempt_started_us;
    else
        note_sending(call);
}

void deadline_sent(struct call *call)
{
    call->deadline.sent_us = clock_now_us();
    look_again(call);
}

void deadline_committed(struct call *call)
{
    if (call->deadline.is_plain || !applies(call))
        return;
    limit_speed(call);
    if (idle_limit_ms(call) && sees_polls(call) && !call->deadline.paused_us)
        call->deadline.last_byte_us = clock_now_us();
    look_again(call);
}

void deadline_resumes(struct call *call)
{
    call->deadline.has_begun = true;
    leave_out(call, 0);
}

void deadline_body(struct call *call, bool is_paused)
{
    if (call->deadline.is_plain || !idle_limit_ms(call) || !sees_polls(call))
        return;
    call->deadline.last_byte_us = is_paused || call->deadline.paused_us ? 0 : clock_now_us();
    call_for_look(call, limit_now_us(call));
}

void deadline_pauses(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    if (!deadline->paused_us)
        deadline->paused_us = clock_now_us();
    deadline->last_byte_us = 0;
    deadline->is_plain = false;
    look_again(call);
}

void deadline_goes_on(struct call *call)
{
    struct deadline *deadline = &call->deadline;
    uint64_t now_us = clock_now_us();

    if (!deadline->paused_us)
        return;
    if (call->reply.phase == REPLY_HOLDING)
        leave_out(call, now_us - deadline->paused_us);
    if (deadline->sent_us)
        deadline->sent_us = now_us;
    deadline->paused_us = 0;
    if (reply_has_reached_program(&call->reply))
        deadline_body(call, false);
    look_again(call);
}

void deadline_swallow(struct call *call)
{
    call->deadline.swallow_us = clock_now_us();
    call->deadline.patience_ms = 0;
    call_for_look(call, limit_now_us(call));
    look_again(call);
}

/* A long body is on its way: has its last byte left? */
static void watch_upload(struct call *call)
{
    if (call->sent && !call->deadline.sent_us && call->reply.phase == REPLY_HOLDING && upload_is_sent(call))
        deadline_sent(call);
}

/* libcurl's clock began a little later than ours: "what has passed" might not have, so 1 ms it is. */
static bool ends_now(struct call *call, uint64_t now_us)
{
    uint64_t ends_us = limit_now_us(call);

    if (!ends_us || now_us < ends_us)
        return false;
    call->deadline.is_lent = true;
    call->deadline.is_plain = false;
    wear_ms(call, 1);
    return true;
}

int deadline_poll_ms(struct call *call, int timeout_ms)
{

    if (!sees_polls(
            call)) /* from here on limits are kept here; what was set before stays until the next change */
        atomic_store_explicit(&polls_are_seen[call->handle->libcurl->flavour], true, memory_order_relaxed);
    watch_upload(call);
    uint64_t ends_us = limit_now_us(call);
    if (!ends_us)
        return timeout_ms;
    uint64_t now_us = clock_now_us();
    if (ends_now(call, now_us))
        return 0;
    uint64_t left_ms = (ends_us - now_us) / 1000 + 1;
    return left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

bool deadline_look(struct call *call, uint64_t now_us)
{
    watch_upload(call);
    bool has_passed = ends_now(call, now_us);
    bool is_sending = call->sent && !call->deadline.sent_us && call->reply.phase == REPLY_HOLDING;
    if (has_passed || is_sending) /* not every state of a transfer takes notice of its limit at once */
        call_for_look(call, now_us + LOOK_US);
    else
        call_for_look(call, limit_now_us(call));
    return has_passed;
}

bool deadline_was_ours(const struct call *call)
{
    const struct deadline *deadline = &call->deadline;
    uint64_t now_us = clock_now_us() + EARLY_US, ours_ends_us = limit_now_us(call);

    if (deadline->program_ends_us && now_us >= deadline->program_ends_us)
        return false;
    if (ours_ends_us && now_us >= ours_ends_us)
        return true;
    if (deadline->connect_ms && !call->sent &&
        now_us >= deadline->attempt_started_us + (uint64_t)deadline->connect_ms * 1000)
        return true;
    return deadline->idle_is_ours;
}

void deadline_retire(struct deadline *deadline)
{
    *deadline = (struct deadline){0};
}

void deadline_restore(struct call *call)
{
    const uint64_t *words = call->handle->words;
    struct deadline *deadline = &call->deadline;

    lift_speed(call);
    if (deadline->worn_ms != (long)words[HANDLES_TIMEOUT_MS])
        call_set(call, CURLOPT_TIMEOUT_MS, (long)words[HANDLES_TIMEOUT_MS]);
    if (deadline->connect_ms)
        call_set(call, CURLOPT_CONNECTTIMEOUT_MS, (long)words[HANDLES_CONNECTTIMEOUT_MS]);
    if (deadline->quick_exit_is_worn)
        call_set(call, CURLOPT_QUICK_EXIT, (long)words[HANDLES_QUICK_EXIT]);
    deadline->worn_ms = (long)words[HANDLES_TIMEOUT_MS];
    deadline->connect_ms = 0;
    deadline->quick_exit_is_worn = deadline->is_plain = false;
}
