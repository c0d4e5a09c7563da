#include "sim/replay.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/dice.h"
#include "sim/door.h"
#include "sim/engine.h"
#include "sim/queue.h"
#include "sim/virtual.h"

enum { SEED = 1 };

enum event_kind { OPEN, GO, HEDGE, ENDED };

/* A call under way. */
struct course {
    struct door door;
    struct attempt {
        uint32_t number; /* of the call's; 0: none is under way */
        struct gate_attempt end;
    } attempts[DOOR_LANES];
};

struct replay {
    const struct trace *trace;
    struct replay_outcome *outcome;
    struct queue queue;
    const struct trace_call *calls;
    struct course **courses; /* of the calls that are under way; NULL */
    uint32_t call_count;
    struct trace_index index;
    uint64_t now_us;
    int error;
};

/* How the attempt that the call makes now ends. */
static const struct trace_line *find_story(const struct replay *replay, uint32_t who)
{
    const struct trace_call *call = &replay->calls[who];
    const uint32_t number = replay->courses[who]->door.attempts;
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
    const struct trace_call *call = &replay->calls[who];
    struct course *course = replay->courses[who];
    const struct door *door = &course->door;
    const struct trace_line *story = find_story(replay, who);
    struct replay_count *count = &replay->outcome->would[call->lines[0].host];
    uint64_t took_us = story->ended_us - story->began_us, limit_us = door_limit_us(door, lane);
    uint64_t hedge_us = lane == DOOR_FIRST ? door_hedge_us(door) : UINT64_MAX;
    bool is_late = took_us > limit_us;

    course->attempts[lane] = (struct attempt){
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
    count->attempts++;
    count->hedged += lane == DOOR_SECOND;
    if (hedge_us < took_us)
        schedule(replay, replay->now_us + hedge_us, HEDGE, who, door->attempts);
    schedule(replay, replay->now_us + (is_late ? limit_us : took_us), ENDED, who, door->attempts);
}

/* ---- calls ---- */

static void count_end(struct replay_count *count, const struct trace_call *call,
                      const struct result_call *ended)
{
    count->good += ended->is_good;
    count->refused += ended->is_refused;
    count->hedge_won += ended->is_won;
    count->saved += ended->is_good && !call->was_good;
    count->lost += !ended->is_good && call->was_good;
}

static void end_course(struct replay *replay, uint32_t who)
{
    const struct trace_call *call = &replay->calls[who];
    struct result *after = &replay->outcome->after;
    const struct door *door = &replay->courses[who]->door;
    const struct result_call ended = {.is_good = door->is_good,
                                      .is_refused = door->is_refused && door->attempts == 0,
                                      .is_rescued = door->is_rescued,
                                      .is_won = door->is_won,
                                      .took_us = replay->now_us - call->lines[0].opened_us};

    count_end(&replay->outcome->would[call->lines[0].host], call, &ended);
    after->under_way--;
    if (result_call(after, replay->now_us, &ended) < 0)
        replay->error = -ENOMEM;
    free(replay->courses[who]);
    replay->courses[who] = NULL;
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
    struct course *course = replay->courses[who];

    look_at_circuit(replay, &course->door);
    for (int lane = 0; lane < DOOR_LANES && next.step != DOOR_RUNS; lane++)
        course->attempts[lane].number = 0;
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
        end_course(replay, who);
        return;
    }
}

static struct rules_query query_of(const struct replay *replay, const struct trace_call *call)
{
    bool is_http = call->lines[0].method != 0;

    return (struct rules_query){.place = &replay->trace->hosts[call->lines[0].host],
                                .method = call->lines[0].method,
                                .path = is_http ? "/" : NULL,
                                .path_length = is_http};
}

static void open_call(struct replay *replay, uint32_t who)
{
    const struct trace_call *call = &replay->calls[who];
    const struct rules_query query = query_of(replay, call);
    struct course *course = replay->courses[who] = calloc(1, sizeof *course);

    if (!course) {
        replay->error = -ENOMEM;
        return;
    }
    replay->outcome->after.under_way++;
    door_open(&course->door, &query);
    replay->outcome->would[call->lines[0].host].unmatched += !course->door.is_gated;
    move(replay, who, door_go(&course->door));
}

/* ---- time ---- */

/* An attempt of a call that is under way, if it is itself still. */
static void attempt_happens(struct replay *replay, const struct queue_event *event)
{
    struct course *course = replay->courses[event->who];
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
    switch ((enum event_kind)event->kind) {
    case OPEN:
        open_call(replay, event->who);
        return;
    case GO:
        move(replay, event->who, door_go(&replay->courses[event->who]->door));
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

    for (uint32_t who = 0; who < replay->call_count; who++)
        schedule(replay, replay->calls[who].lines[0].opened_us, OPEN, who, 0);
    while (!replay->error && queue_take(&replay->queue, &event)) {
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

static int play_under(struct replay *replay, const struct rules *rules, const struct watch *watch,
                      uint64_t duration_us)
{
    struct engine engine;

    replay->courses = calloc(replay->call_count, sizeof(struct course *));
    if (!replay->courses || trace_index_init(&replay->index, replay->trace) < 0)
        return -ENOMEM;
    replay->error = engine_open(&engine, rules, 4 * replay->trace->host_count, SEED);
    if (replay->error < 0)
        return replay->error;
    play(replay, watch, duration_us);
    engine_close(&engine);
    for (uint32_t who = 0; who < replay->call_count; who++)
        free(replay->courses[who]); /* of what was under way when memory ran out */
    return replay->error;
}

int replay_run(const struct trace *trace, const struct rules *rules, const struct watch *watch,
               struct replay_outcome *outcome)
{
    struct replay replay = {.trace = trace, .outcome = outcome};
    uint64_t duration_us = duration_of(trace);
    struct trace_call *calls = trace_calls(trace, &replay.call_count);
    int error = -ENOMEM;

    result_init(&outcome->before, duration_us);
    result_init(&outcome->after, duration_us);
    outcome->was = calloc(trace->host_count, sizeof *outcome->was);
    outcome->would = calloc(trace->host_count, sizeof *outcome->would);
    replay.calls = calls;
    if (calls && outcome->was && outcome->would)
        error = past_tell(calls, replay.call_count, &outcome->before, outcome->was);
    if (error == 0)
        error = play_under(&replay, rules, watch, duration_us);
    queue_clear(&replay.queue);
    trace_index_clear(&replay.index);
    free(replay.courses);
    free(calls);
    return error;
}

void replay_clear(struct replay_outcome *outcome)
{
    result_clear(&outcome->before);
    result_clear(&outcome->after);
    free(outcome->was);
    free(outcome->would);
    outcome->was = NULL;
    outcome->would = NULL;
}
