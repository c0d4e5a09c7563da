#include "curl/deadline.h"

#include <stdatomic.h>

#include "curl/call.h"
#include "curl/lent.h"
#include "curl/limits.h"
#include "sys/clock.h"

enum {
    SWALLOW_MS = 1000,
    CONNECTION_ID = CURLINFO_OFF_T + 64, /* CURLINFO_CONN_ID, of libcurl 8.2 */
    LOOK_US = 100000,                    /* between looks at what tells us nothing by itself */
    PATIENCE_MS = 5000,   /* libcurl's loop waits for a second at most: some of its first waits */
    FIRST_POLL_MS = 1000, /* libcurl's easy loop polls once before the transfer begins, which does not wait */
    EARLY_US = 2000       /* libcurl counts milliseconds and may end a transfer that much early */
};

/* Once one poll of a flavour's loop was seen, all are. */
static atomic_bool polls_are_seen[LIBCURL_FLAVOUR_COUNT];

bool deadline_sees_polls(const struct call *call)
{
    return call->deadline.loop_looks_us ||
           atomic_load_explicit(&polls_are_seen[call->handle->libcurl->flavour], memory_order_relaxed);
}

/* What most requests have, none, leaves at once. */
static bool is_long_to_send(const struct call *call)
{
    enum handles_request kind = call->handle->request;
    return kind != HANDLES_GET && kind != HANDLES_HEAD && upload_is_long(call);
}

static uint32_t idle_limit_ms(const struct call *call)
{
    const struct policy_timeouts *limits = call_limits(call);
    return limits ? limits->idle_ms : 0;
}

/* By the policy, as it is just now; 0: there is no limit. */
static uint64_t policy_limit_us(const struct call *call)
{
    const struct deadline *deadline = &call->deadline;
    const struct policy_timeouts *limits = call_limits(call);

    if (call->reply.phase == REPLY_SWALLOWING)
        return deadline->swallow_us + SWALLOW_MS * 1000;
    if (!limits)
        return 0;
    if (call->reply.phase == REPLY_HOLDING)
        return limits_reply_us(limits, deadline, !deadline->sent_us && upload_is_long(call));
    return limits_body_us(limits, deadline);
}

/* Until when the calls of this run may go on, whatever their policies say; 0: as long as they like. */
static uint64_t run_ends_us(const struct call *call)
{
    return call->gate.ready->ends_us;
}

/* When the transfer is late. */
static uint64_t limit_now_us(const struct call *call)
{
    return limits_earlier_us(policy_limit_us(call), run_ends_us(call));
}

/* The event loop of a program need not look before the nearest limit of its calls, which may only be too
 * near. */
static void call_for_look(struct call *call, uint64_t when_us)
{
    uint64_t *looks_us = call->deadline.loop_looks_us;

    if (looks_us)
        *looks_us = limits_earlier_us(*looks_us, when_us);
}

/* A moment that limits depend on has changed. */
static void look_again(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    if (deadline->is_plain)
        return;
    if (deadline->loop_looks_us)
        call_for_look(call, limit_now_us(call));
    if (!deadline_sees_polls(call)) {
        deadline->is_lent = true;
        lent_until(call, limits_earlier_us(limit_now_us(call), deadline->program_ends_us));
    } else if (deadline->is_lent) {
        lent_give_back(call);
    }
}

/* Only for the first waits, so that time which passes outside of them is not overlooked for long. */
static int first_patience_ms(const struct call *call)
{
    const struct policy_timeouts *limits = call_limits(call);
    uint32_t shortest_ms = limits ? limits_shortest_ms(limits) : 0;
    return shortest_ms && shortest_ms < PATIENCE_MS ? (int)shortest_ms : PATIENCE_MS;
}

/* No limit of the attempt can end earlier. What ends later is found out when the event loop looks then. */
static uint64_t first_end_us(const struct call *call)
{
    const struct policy_timeouts *limits = call_limits(call);
    return limits_earlier_us(limits ? limits_first_us(limits, &call->deadline) : 0, run_ends_us(call));
}

/* ---- the course of a call ---- */

/* The program's own limit as a moment. libcurl 7.88 takes a negative one, which then means none. */
static void read_program_limit(struct call *call)
{
    int64_t program_ms = (int64_t)call->handle->words[HANDLES_TIMEOUT_MS];

    call->deadline.program_ends_us = program_ms > 0 ? call->gate.opened_us + (uint64_t)program_ms * 1000 : 0;
    call->gate.deadline_us = limits_earlier_us(call->gate.deadline_us, call->deadline.program_ends_us);
}

/* libcurl has just heard the program's values, so what we wore is off. */
void deadline_program_set(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    read_program_limit(call);
    deadline->is_plain = false;
    deadline->worn_ms = (long)call->handle->words[HANDLES_TIMEOUT_MS];
    lent_give_back(call);
    look_again(call);
    deadline->connect_ms = 0;
    lent_limit_connect(call);
    if (deadline->idle_is_ours) {
        deadline->idle_is_ours = false;
        lent_limit_idle(call);
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
    bool is_seen = deadline_sees_polls(call), has_time = is_seen && !run_ends_us(call);

    deadline->is_plain = false;
    lent_lift_idle(call);
    lent_limit_connect(call);
    lent_exit_quickly(call);
    if (call->gate.attempt > 1 || deadline->worn_ms != (long)program_ms)
        lent_give_back(call);
    if (!is_seen || deadline->loop_looks_us || deadline->is_lent)
        look_again(call);
    deadline->first_patience_ms = has_time ? first_patience_ms(call) : 0;
    deadline->is_plain = has_time && !deadline->is_lent && !idle_limit_ms(call) &&
                         deadline->worn_ms == (long)program_ms && !deadline->paused_us && !call->is_watched &&
                         !call->gate.wants_answer;
}

/* The connection that the transfer has, or had last; -1: none yet. */
static int64_t connection_id(const struct call *call)
{
    curl_off_t id = -1;

    call->handle->libcurl->easy_getinfo(call->handle->easy, (CURLINFO)CONNECTION_ID, &id);
    return id;
}

static void enter_queue(struct call *call, uint64_t now_us)
{
    call->deadline.queued_us = now_us;
    call->deadline.connects_us = 0;
    if (!lent_is_told_of_queue(call))
        return;
    call->deadline.queue_connection = connection_id(call);
    call_for_look(call, now_us + LOOK_US);
}

void deadline_attempt(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    bool has_waited = call->gate.attempt > 1 || call->gate.has_waited;

    deadline->attempt_started_us = has_waited ? clock_now_us() : deadline->call_started_us;
    deadline->queued_us = deadline->connects_us = deadline->sent_us = deadline->last_byte_us = 0;
    if (!call->handle->is_settled || !deadline->is_plain || deadline->may_queue || !deadline_sees_polls(call))
        dress(call);
    if (deadline->may_queue)
        enter_queue(call, deadline->attempt_started_us);
    if (deadline->loop_looks_us)
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
    if (deadline->worn_ms) /* the program's own, where limits were plain */
        read_program_limit(call);
}

void deadline_enters_loop(struct call *call, uint64_t *looks_us, bool may_queue)
{
    call->deadline.loop_looks_us = looks_us;
    call->deadline.may_queue = may_queue;
}

void deadline_leaves_loop(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    deadline->loop_looks_us = NULL;
    deadline->is_plain &= !deadline->may_queue; /* what it wears is another limit on connecting, perhaps */
    deadline->may_queue = false;
    deadline->queued_us = deadline->connects_us = 0;
}

void deadline_repeats_in_loop(struct call *call, uint64_t *looks_us)
{
    call->deadline.loop_looks_us = looks_us;
    call_for_look(call, first_end_us(call));
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
    const struct policy_timeouts *limits = call_limits(call);
    struct deadline *deadline = &call->deadline;

    deadline->call_started_us += us;
    call->gate.deadline_us =
        limits_earlier_us(limits ? limits_total_us(limits, deadline) : 0, deadline->program_ends_us);
    call->gate.deadline_us = limits_earlier_us(call->gate.deadline_us, run_ends_us(call));
}

/* Returns whether it may have been there. */
static bool leave_queue(struct call *call, uint64_t now_us)
{
    struct deadline *deadline = &call->deadline;

    if (!deadline->may_queue)
        return false;
    bool was_there = deadline->queued_us || deadline->connects_us;
    if (deadline->queued_us)
        leave_out(call, now_us - deadline->queued_us);
    deadline->queued_us = deadline->connects_us = 0;
    return was_there;
}

/*
 * A transfer that waits in libcurl's queue for one of the program's few connections has not begun, and below
 * 8.6 nobody can see whether it waits. Until its request is about to be sent only the limit on connecting
 * holds, which is libcurl's to keep there and begins when it has left the queue. (A libcurl that does not
 * tell when it sends keeps us waiting until the reply.)
 */
void deadline_hop(struct call *call)
{
    if (call->deadline.may_queue)
        enter_queue(call, clock_now_us());
}

/*
 * Where libcurl tells, it is seen soon after that a transfer has left the queue and connects: it has another
 * connection than the last. (Who is given that one again sends at once. CURLINFO_QUEUE_TIME_T tells no
 * longer: in 8.23 it goes on when a transfer has asked in vain.)
 */
static void watch_queue(struct call *call, uint64_t now_us)
{
    struct deadline *deadline = &call->deadline;

    if (!deadline->queued_us || !lent_is_told_of_queue(call))
        return;
    int64_t id = connection_id(call);
    if (id < 0 || id == deadline->queue_connection) {
        call_for_look(call, now_us + LOOK_US);
        return;
    }
    leave_queue(call, now_us);
    deadline->connects_us = now_us;
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
    if (call->deadline.is_plain || (!call_limits(call) && !run_ends_us(call)))
        return;
    lent_limit_idle(call);
    if (idle_limit_ms(call) && deadline_sees_polls(call) && !call->deadline.paused_us)
        call->deadline.last_byte_us = clock_now_us();
    look_again(call);
}

void deadline_resumes(struct call *call)
{
    call->deadline.has_begun = true;
    leave_out(call, 0);
}

void deadline_takes_over(struct call *call)
{
    struct deadline *deadline = &call->deadline;

    deadline->attempt_started_us = clock_now_us();
    deadline->is_plain = false;
    deadline->patience_ms = 0;
    lent_give_back(call);
    look_again(call);
}

void deadline_body(struct call *call, bool is_paused)
{
    if (call->deadline.is_plain || !idle_limit_ms(call) || !deadline_sees_polls(call))
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

static bool ends_now(struct call *call, uint64_t now_us)
{
    uint64_t ends_us = limit_now_us(call);

    if (!ends_us || now_us < ends_us)
        return false;
    call->deadline.is_plain = false;
    lent_end_now(call);
    return true;
}

int deadline_poll_ms(struct call *call, int timeout_ms)
{

    if (!deadline_sees_polls(
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
    watch_queue(call, now_us);
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
    if (run_ends_us(call) && now_us >= run_ends_us(call))
        return false;
    if (ours_ends_us && now_us >= ours_ends_us)
        return true;
    if (deadline->connect_ms && !call->sent &&
        now_us >= deadline->attempt_started_us + (uint64_t)deadline->connect_ms * 1000)
        return true;
    return deadline->idle_is_ours;
}

/* A call writes the moments before it reads them. */
void deadline_retire(struct deadline *deadline)
{
    deadline->patience_ms = 0;
    deadline->connect_ms = 0;
    deadline->idle_is_ours = deadline->quick_exit_is_worn = deadline->may_queue = false;
    deadline->is_plain = deadline->is_lent = false;
    deadline->loop_looks_us = NULL;
}

void deadline_restore(struct call *call)
{
    lent_restore(call);
    call->deadline.is_plain = false;
}
