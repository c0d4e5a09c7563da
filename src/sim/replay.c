#include "sim/replay.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/dice.h"
#include "sim/door.h"
#include "sim/engine.h"
#include "sim/queue.h"
#include "sim/virtual.h"

enum { SEED = 1 };

enum event_kind {
    WAS_OPENED, /* as recorded */
    WAS_MADE,
    WAS_CLOSED,
    OPEN, /* as it would be */
    GO,
    ENDED
};

struct call {
    const struct trace_line *lines; /* of the trace, in the order of their attempts */
    uint32_t line_count;
    bool was_good, was_refused;
    uint64_t ended_us;
    struct door *door;        /* while it is under way */
    struct gate_attempt next; /* how the attempt under way will end */
};

struct replay {
    const struct trace *trace;
    struct replay_outcome *outcome;
    struct engine engine;
    struct queue queue;
    struct call *calls;
    uint32_t call_count;
    struct trace_index index;
    uint64_t now_us;
    int error;
};

static void gather_calls(struct replay *replay)
{
    const struct trace *trace = replay->trace;

    for (size_t i = 0, next; i < trace->line_count; i = next) {
        struct call *call = &replay->calls[replay->call_count++];
        call->lines = &trace->lines[i];
        for (next = i; next < trace->line_count && trace_is_same_call(&trace->lines[i], &trace->lines[next]);
             next++)
            call->line_count++;
        const struct trace_line *last = &trace->lines[next - 1];
        call->was_good = last->outcome.type == OUTCOME_SUCCESS;
        call->was_refused = trace_is_refusal(last) && call->line_count == 1;
        call->ended_us = last->ended_us;
    }
}

/* How the attempt that the call makes now ends. */
static const struct trace_line *find_story(const struct replay *replay, uint32_t who)
{
    const struct call *call = &replay->calls[who];
    const struct trace_line *near[TRACE_NEAR_MOST];

    if (call->door->attempts == 1 && !trace_is_refusal(call->lines))
        return call->lines;
    unsigned count = trace_near(&replay->index, call->lines, call->door->attempts, replay->now_us, near);
    struct dice dice = dice_of(SEED, who, call->door->attempts);
    return count ? near[dice_word(&dice) % count] : &call->lines[call->line_count - 1];
}

static void schedule(struct replay *replay, uint64_t at_us, enum event_kind kind, uint32_t who)
{
    int result = queue_put(&replay->queue, (struct queue_event){.at_us = at_us, .kind = kind, .who = who});
    if (result < 0)
        replay->error = result;
}

static void attempt(struct replay *replay, uint32_t who)
{
    struct call *call = &replay->calls[who];
    const struct trace_line *story = find_story(replay, who);
    uint64_t took_us = story->ended_us - story->began_us, limit_us = door_limit_us(call->door);
    bool is_late = took_us > limit_us;

    call->next = (struct gate_attempt){.outcome = is_late ? door_late(call->door) : story->outcome,
                                       .method = call->lines[0].method,
                                       .sent = call->lines[0].method && (is_late || story->sent),
                                       .idempotent = call->lines[0].idempotent,
                                       .replayable = true,
                                       .is_elsewhere = !is_late && story->is_elsewhere,
                                       .retry_after_ms = is_late ? -1 : story->retry_after_ms};
    result_attempt(&replay->outcome->after, replay->now_us, false);
    replay->outcome->hosts[call->lines[0].host].new_attempts++;
    schedule(replay, replay->now_us + (is_late ? limit_us : took_us), ENDED, who);
}

/* ---- calls ---- */

static int end_call(struct result *result, uint64_t us, const struct call *call, bool good, bool refused,
                    uint32_t attempts)
{
    enum result_end end = good ? RESULT_GOOD : refused ? RESULT_REFUSED : RESULT_FAILED;

    result->under_way--;
    return result_call(result, us, end, good && attempts > 1, us - call->lines[0].opened_us);
}

static void count_new_end(struct replay_count *count, const struct call *call, bool is_good, bool is_refused)
{
    count->new_good += is_good;
    count->new_refused += is_refused;
    count->saved += is_good && !call->was_good;
    count->lost += !is_good && call->was_good;
}

static void look_at_circuit(struct replay *replay, const struct door *door)
{
    struct result *after = &replay->outcome->after;

    if (!door->is_gated)
        return;
    enum breaker_state circuit = breaker_state(atomic_load(&door->gate.slot->circuit));
    after->opened += circuit == BREAKER_OPEN && after->circuit != BREAKER_OPEN;
    after->circuit = circuit;
}

static void move(struct replay *replay, uint32_t who, struct door_move next)
{
    struct call *call = &replay->calls[who];
    const struct door *door = call->door;
    bool is_refused = door->is_refused && door->attempts == 0;

    look_at_circuit(replay, door);
    switch (next.step) {
    case DOOR_ATTEMPT:
        attempt(replay, who);
        return;
    case DOOR_WAIT:
        schedule(replay, replay->now_us + next.wait_us, GO, who);
        return;
    case DOOR_OVER:
        count_new_end(&replay->outcome->hosts[call->lines[0].host], call, door->is_good, is_refused);
        if (end_call(&replay->outcome->after, replay->now_us, call, door->is_good, is_refused,
                     door->attempts) < 0)
            replay->error = -ENOMEM;
        free(call->door);
        call->door = NULL;
        return;
    }
}

static struct rules_query query_of(const struct replay *replay, const struct call *call)
{
    bool is_http = call->lines[0].method != 0;

    return (struct rules_query){.place = &replay->trace->hosts[call->lines[0].host],
                                .method = call->lines[0].method,
                                .path = is_http ? "/" : NULL,
                                .path_length = is_http};
}

static void open_call(struct replay *replay, uint32_t who)
{
    struct call *call = &replay->calls[who];
    struct rules_query query = query_of(replay, call);
    struct replay_count *count = &replay->outcome->hosts[call->lines[0].host];

    call->door = calloc(1, sizeof *call->door);
    if (!call->door) {
        replay->error = -ENOMEM;
        return;
    }
    replay->outcome->after.under_way++;
    door_open(call->door, &query);
    count->unmatched += !call->door->is_gated;
    move(replay, who, door_go(call->door));
}

/* ---- time ---- */

static void schedule_all(struct replay *replay)
{
    for (uint32_t who = 0; who < replay->call_count; who++) {
        const struct call *call = &replay->calls[who];
        schedule(replay, call->lines[0].opened_us, WAS_OPENED, who);
        schedule(replay, call->lines[0].opened_us, OPEN, who);
        for (uint32_t i = 0; i < call->line_count; i++)
            if (!trace_is_refusal(&call->lines[i]))
                schedule(replay, call->lines[i].began_us, WAS_MADE, who);
        schedule(replay, call->ended_us, WAS_CLOSED, who);
    }
}

static void happen(struct replay *replay, const struct queue_event *event)
{
    struct call *call = &replay->calls[event->who];
    struct replay_count *count = &replay->outcome->hosts[call->lines[0].host];
    struct result *before = &replay->outcome->before;

    switch ((enum event_kind)event->kind) {
    case WAS_OPENED:
        before->under_way++;
        count->calls++;
        return;
    case WAS_MADE:
        count->attempts++;
        result_attempt(before, replay->now_us, false);
        return;
    case WAS_CLOSED:
        count->good += call->was_good;
        count->refused += call->was_refused;
        if (end_call(before, replay->now_us, call, call->was_good, call->was_refused, call->line_count) < 0)
            replay->error = -ENOMEM;
        return;
    case OPEN:
        open_call(replay, event->who);
        return;
    case GO:
        move(replay, event->who, door_go(call->door));
        return;
    case ENDED:
        move(replay, event->who, door_ended(call->door, &call->next));
        return;
    }
}

static void play(struct replay *replay, const struct watch *watch, uint64_t duration_us)
{
    struct queue_event event;
    uint64_t events = 0;

    gather_calls(replay);
    schedule_all(replay);
    while (!replay->error && queue_take(&replay->queue, &event)) {
        result_pass(&replay->outcome->before, event.at_us);
        result_pass(&replay->outcome->after, event.at_us);
        replay->now_us = event.at_us;
        virtual_set_us(event.at_us);
        happen(replay, &event);
        watch_event(watch, ++events, event.at_us, duration_us);
    }
}

static uint64_t duration_of(const struct trace *trace)
{
    uint64_t us = 1;

    for (size_t i = 0; i < trace->line_count; i++)
        if (trace->lines[i].ended_us >= us)
            us = trace->lines[i].ended_us + 1;
    return us;
}

int replay_run(const struct trace *trace, const struct rules *rules, const struct watch *watch,
               struct replay_outcome *outcome)
{
    struct replay replay = {.trace = trace, .outcome = outcome};
    uint64_t duration_us = duration_of(trace);

    result_init(&outcome->before, duration_us);
    result_init(&outcome->after, duration_us);
    outcome->hosts = calloc(trace->host_count, sizeof *outcome->hosts);
    replay.calls = calloc(trace->line_count, sizeof *replay.calls);
    bool has_memory = outcome->hosts && replay.calls && trace_index_init(&replay.index, trace) == 0;
    replay.error = has_memory ? engine_open(&replay.engine, rules, 4 * trace->host_count, SEED) : -ENOMEM;
    if (replay.error == 0) {
        play(&replay, watch, duration_us);
        engine_close(&replay.engine);
    }
    for (uint32_t who = 0; who < replay.call_count; who++)
        free(replay.calls[who].door); /* of what was under way when memory ran out */
    queue_clear(&replay.queue);
    trace_index_clear(&replay.index);
    free(replay.calls);
    return replay.error;
}

void replay_clear(struct replay_outcome *outcome)
{
    result_clear(&outcome->before);
    result_clear(&outcome->after);
    free(outcome->hosts);
    outcome->hosts = NULL;
}
