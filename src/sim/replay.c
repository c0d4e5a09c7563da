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
    WAS_HEDGED,
    WAS_CLOSED,
    OPEN, /* as it would be */
    GO,
    HEDGE,
    ENDED
};

/* A call under way. */
struct course {
    struct door door;
    struct attempt {
        uint32_t number; /* of the call's; 0: none is under way */
        struct gate_attempt end;
    } attempts[DOOR_LANES];
};

struct call {
    const struct trace_line *lines; /* of the trace, in the order of their attempts */
    uint32_t line_count;
    bool was_good, was_refused;
    uint64_t ended_us;
    struct course *course; /* while it is under way */
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
    const uint32_t number = call->course->door.attempts;
    const struct trace_line *near[TRACE_NEAR_MOST];

    if (number == 1 && !trace_is_refusal(call->lines))
        return call->lines;
    unsigned count = trace_near(&replay->index, call->lines, number, replay->now_us, near);
    struct dice dice = dice_of(SEED, who, number);
    return count ? near[dice_word(&dice) % count] : &call->lines[call->line_count - 1];
}

static void schedule(struct replay *replay, uint64_t at_us, enum event_kind kind, uint32_t who,
                     uint32_t attempt)
{
    int result = queue_put(&replay->queue,
                           (struct queue_event){.at_us = at_us, .kind = kind, .who = who, .serial = attempt});
    if (result < 0)
        replay->error = result;
}

static void begin_attempt(struct replay *replay, uint32_t who, enum door_lane lane)
{
    const struct call *call = &replay->calls[who];
    const struct door *door = &call->course->door;
    const struct trace_line *story = find_story(replay, who);
    struct replay_count *count = &replay->outcome->hosts[call->lines[0].host];
    uint64_t took_us = story->ended_us - story->began_us, limit_us = door_limit_us(door, lane);
    uint64_t hedge_us = lane == DOOR_FIRST ? door_hedge_us(door) : UINT64_MAX;
    bool is_late = took_us > limit_us;

    call->course->attempts[lane] = (struct attempt){
        .number = door->attempts,
        .end = {.outcome = is_late ? door_late(door) : story->outcome,
                .method = call->lines[0].method,
                .sent = call->lines[0].method && (is_late || story->sent),
                .idempotent = call->lines[0].idempotent,
                .replayable = true,
                .is_elsewhere = !is_late && story->is_elsewhere,
                .retry_after_ms = is_late ? -1 : story->retry_after_ms}
    };
    result_attempt(&replay->outcome->after, replay->now_us,
                   &(struct result_attempt){.is_hedge = lane == DOOR_SECOND});
    count->new_attempts++;
    count->new_hedged += lane == DOOR_SECOND;
    if (hedge_us < took_us)
        schedule(replay, replay->now_us + hedge_us, HEDGE, who, door->attempts);
    schedule(replay, replay->now_us + (is_late ? limit_us : took_us), ENDED, who, door->attempts);
}

/* ---- calls ---- */

static void end_call(struct replay *replay, struct result *result, const struct call *call,
                     struct result_call ended)
{
    ended.took_us = replay->now_us - call->lines[0].opened_us;
    result->under_way--;
    if (result_call(result, replay->now_us, &ended) < 0)
        replay->error = -ENOMEM;
}

static void count_new_end(struct replay_count *count, const struct call *call,
                          const struct result_call *ended)
{
    count->new_good += ended->is_good;
    count->new_refused += ended->is_refused;
    count->new_hedge_won += ended->is_won;
    count->saved += ended->is_good && !call->was_good;
    count->lost += !ended->is_good && call->was_good;
}

static void end_course(struct replay *replay, struct call *call)
{
    const struct door *door = &call->course->door;
    const struct result_call ended = {.is_good = door->is_good,
                                      .is_refused = door->is_refused && door->attempts == 0,
                                      .is_rescued = door->is_rescued,
                                      .is_won = door->is_won};

    count_new_end(&replay->outcome->hosts[call->lines[0].host], call, &ended);
    end_call(replay, &replay->outcome->after, call, ended);
    free(call->course);
    call->course = NULL;
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

    look_at_circuit(replay, &call->course->door);
    for (int lane = 0; lane < DOOR_LANES && next.step != DOOR_RUNS; lane++)
        call->course->attempts[lane].number = 0;
    switch (next.step) {
    case DOOR_ATTEMPT:
        begin_attempt(replay, who, DOOR_FIRST);
        return;
    case DOOR_WAIT:
        schedule(replay, replay->now_us + next.wait_us, GO, who, 0);
        return;
    case DOOR_RUNS:
        return;
    case DOOR_OVER:
        end_course(replay, call);
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

    call->course = calloc(1, sizeof *call->course);
    if (!call->course) {
        replay->error = -ENOMEM;
        return;
    }
    replay->outcome->after.under_way++;
    door_open(&call->course->door, &query);
    count->unmatched += !call->course->door.is_gated;
    move(replay, who, door_go(&call->course->door));
}

/* ---- time ---- */

static void schedule_all(struct replay *replay)
{
    for (uint32_t who = 0; who < replay->call_count; who++) {
        const struct call *call = &replay->calls[who];
        schedule(replay, call->lines[0].opened_us, WAS_OPENED, who, 0);
        schedule(replay, call->lines[0].opened_us, OPEN, who, 0);
        for (uint32_t i = 0; i < call->line_count; i++) {
            if (!trace_is_refusal(&call->lines[i]))
                schedule(replay, call->lines[i].began_us, call->lines[i].is_hedge ? WAS_HEDGED : WAS_MADE,
                         who, 0);
            if (call->lines[i].hedged_us)
                schedule(replay, call->lines[i].hedged_us, WAS_HEDGED, who, 0);
        }
        schedule(replay, call->ended_us, WAS_CLOSED, who, 0);
    }
}

static void be_as_it_was(struct replay *replay, const struct call *call, enum event_kind kind)
{
    struct replay_count *count = &replay->outcome->hosts[call->lines[0].host];
    struct result *before = &replay->outcome->before;
    bool is_hedge = kind == WAS_HEDGED;

    if (kind == WAS_OPENED) {
        before->under_way++;
        count->calls++;
    } else if (kind == WAS_CLOSED) {
        count->good += call->was_good;
        count->refused += call->was_refused;
        end_call(replay, before, call,
                 (struct result_call){.is_good = call->was_good,
                                      .is_refused = call->was_refused,
                                      .is_rescued = call->was_good && call->line_count > 1});
    } else {
        count->attempts++;
        count->hedged += is_hedge;
        result_attempt(before, replay->now_us, &(struct result_attempt){.is_hedge = is_hedge});
    }
}

/* An attempt of a call that is under way, if it is itself still. */
static void attempt_happens(struct replay *replay, const struct queue_event *event)
{
    struct course *course = replay->calls[event->who].course;
    enum door_lane lane = DOOR_FIRST;

    while (course && lane < DOOR_LANES && course->attempts[lane].number != event->serial)
        lane++;
    if (!course || lane == DOOR_LANES)
        return;
    if (event->kind == HEDGE) {
        if (door_hedges(&course->door))
            begin_attempt(replay, event->who, DOOR_SECOND);
        return;
    }
    course->attempts[lane].number = 0;
    move(replay, event->who, door_ended(&course->door, lane, &course->attempts[lane].end));
}

static void happen(struct replay *replay, const struct queue_event *event)
{
    const struct call *call = &replay->calls[event->who];

    switch ((enum event_kind)event->kind) {
    case WAS_OPENED:
    case WAS_MADE:
    case WAS_HEDGED:
    case WAS_CLOSED:
        be_as_it_was(replay, call, (enum event_kind)event->kind);
        return;
    case OPEN:
        open_call(replay, event->who);
        return;
    case GO:
        move(replay, event->who, door_go(&call->course->door));
        return;
    case HEDGE:
    case ENDED:
        attempt_happens(replay, event);
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
        free(replay.calls[who].course); /* of what was under way when memory ran out */
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
