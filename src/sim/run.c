#include "sim/run.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/door.h"
#include "sim/engine.h"
#include "sim/queue.h"
#include "sim/server.h"
#include "sim/virtual.h"

enum event_kind {
    BEGIN,   /* the client calls */
    GO,      /* its call has waited */
    HEDGE,   /* its attempt is to have another beside it */
    REFUSAL, /* the server has no worker for its attempt */
    WORKED,  /* a worker of the server's is done with it */
    LATE     /* its attempt has taken as long as it may */
};

/* An attempt of a client's. */
struct attempt {
    uint64_t serial; /* of all attempts; 0: none is under way */
    enum { NOWHERE, IN_LINE, AT_WORK } where;
    uint64_t place; /* in the line */
    struct outcome fate;
};

/* A call under way. */
struct course {
    struct door door;
    struct attempt attempts[DOOR_LANES];
    struct course *next; /* of those that are to be used again */
};

struct client {
    struct course *course; /* NULL: it waits for its next call */
    uint64_t calls;        /* begun */
    uint64_t began_us;     /* the last one */
};

struct run {
    const struct scenario *scenario;
    const struct rules_query *query; /* NULL: bare */
    struct engine engine;
    struct queue queue;
    struct server server;
    struct client *clients;
    struct course *spare;
    struct result *result;
    const struct layout_host *slot; /* what the gate remembers of the server; NULL: nothing */
    uint64_t last_serial;           /* an event of an attempt that is over is passed over */
    uint64_t now_us;
    int error; /* the first one */
};

static void fail(struct run *run, int result)
{
    if (result < 0 && !run->error)
        run->error = result;
}

static void schedule(struct run *run, uint64_t after_us, enum event_kind kind, uint32_t who, uint64_t serial)
{
    fail(run, queue_put(&run->queue,
                        (struct queue_event){
                            .at_us = run->now_us + after_us, .kind = kind, .who = who, .serial = serial}));
}

/* ---- clients ---- */

/* Where a call takes longer than the period the next follows at once. */
static void schedule_call(struct run *run, uint32_t who)
{
    const struct client *client = &run->clients[who];
    uint64_t next_us = scenario_next_us(run->scenario, who, client->calls, client->began_us);

    if (next_us < run->now_us)
        next_us = run->now_us;
    if (next_us < run->scenario->duration_us)
        schedule(run, next_us - run->now_us, BEGIN, who, 0);
}

static struct course *new_course(struct run *run)
{
    struct course *course = run->spare;

    if (!course)
        return calloc(1, sizeof *course);
    run->spare = course->next;
    return course;
}

static void free_courses(struct run *run)
{
    for (uint32_t who = 0; run->clients && who < scenario_clients(run->scenario); who++)
        free(run->clients[who].course); /* of what was under way when memory ran out */
    while (run->spare) {
        struct course *course = run->spare;
        run->spare = course->next;
        free(course);
    }
}

static void end_call(struct run *run, uint32_t who)
{
    struct client *client = &run->clients[who];
    const struct door *door = &client->course->door;
    const struct result_call call = {.is_good = door->is_good,
                                     .is_refused = door->is_refused && door->attempts == 0,
                                     .is_rescued = door->is_rescued,
                                     .is_won = door->is_won,
                                     .took_us = run->now_us - client->began_us};

    fail(run, result_call(run->result, run->now_us, &call));
    run->result->under_way--;
    client->course->next = run->spare;
    run->spare = client->course;
    client->course = NULL;
    schedule_call(run, who);
}

static void move(struct run *run, uint32_t who, struct door_move next);

/* ---- attempts ---- */

/* The client's attempt of this serial; NULL where it is over. */
static struct attempt *find_attempt(const struct client *client, uint64_t serial)
{
    for (int lane = 0; serial && client->course && lane < DOOR_LANES; lane++)
        if (client->course->attempts[lane].serial == serial)
            return &client->course->attempts[lane];
    return NULL;
}

static void accept_fate(struct run *run, const struct server_request *request, const struct server_fate *fate)
{
    struct attempt *attempt = find_attempt(&run->clients[request->client], request->serial);

    if (!fate->is_queued)
        schedule(run, fate->after_us, fate->is_worked ? WORKED : REFUSAL, request->client, request->serial);
    if (!attempt)
        return; /* the client has given up, and the server has not heard of it */
    attempt->where = fate->is_queued ? IN_LINE : fate->is_worked ? AT_WORK : NOWHERE;
    attempt->place = fate->place;
    attempt->fate = fate->outcome;
}

static void begin_attempt(struct run *run, uint32_t who, enum door_lane lane)
{
    const struct client *client = &run->clients[who];
    const struct door *door = &client->course->door;
    const struct server_request request = {who, ++run->last_serial,
                                           (client->calls - 1) | (uint64_t)(door->attempts - 1) << 40};
    const struct result_attempt counted = {scenario_troubles(run->scenario, run->now_us),
                                           lane == DOOR_SECOND};
    uint64_t limit_us = door_limit_us(door, lane);
    uint64_t hedge_us = lane == DOOR_FIRST ? door_hedge_us(door) : UINT64_MAX;
    struct server_fate fate = {0};

    result_attempt(run->result, run->now_us, &counted);
    client->course->attempts[lane] = (struct attempt){.serial = request.serial};
    if (limit_us != UINT64_MAX)
        schedule(run, limit_us, LATE, who, request.serial);
    if (hedge_us != UINT64_MAX)
        schedule(run, hedge_us, HEDGE, who, request.serial);
    fail(run, server_arrive(&run->server, &request, run->now_us, &fate));
    accept_fate(run, &request, &fate);
}

static void take_next(struct run *run)
{
    struct server_request request;
    struct server_fate fate;

    if (server_next(&run->server, run->now_us, &request, &fate))
        accept_fate(run, &request, &fate);
}

/* The client closes the connection, if it is open still. */
static void close_attempt(struct run *run, struct attempt *attempt)
{
    const struct attempt closed = *attempt;

    *attempt = (struct attempt){.serial = 0};
    if (run->scenario->deaf)
        return;
    if (closed.where == IN_LINE)
        server_leave(&run->server, closed.place);
    else if (closed.where == AT_WORK)
        take_next(run);
}

/* A connect knows no status: what a server answers by 503 it refuses. */
static struct outcome as_met(const struct door *door, struct outcome outcome)
{
    bool is_good = outcome.type == OUTCOME_SUCCESS, is_late = outcome.type == OUTCOME_TIMEOUT;

    if (!door->is_connect || is_late)
        return outcome;
    return outcome_of_errno(is_good ? 0 : ECONNREFUSED);
}

static void end_attempt(struct run *run, uint32_t who, struct attempt *attempt, struct outcome told)
{
    struct course *course = run->clients[who].course;
    enum door_lane lane = attempt == &course->attempts[DOOR_FIRST] ? DOOR_FIRST : DOOR_SECOND;
    struct outcome outcome = as_met(&course->door, told);
    struct gate_attempt ended = {.outcome = outcome,
                                 .method = run->query ? run->query->method : 0,
                                 .sent = !course->door.is_connect && outcome.type != OUTCOME_CONNECT,
                                 .replayable = true,
                                 .retry_after_ms = -1};

    close_attempt(run, attempt);
    move(run, who, door_ended(&course->door, lane, &ended));
}

static void move(struct run *run, uint32_t who, struct door_move next)
{
    struct course *course = run->clients[who].course;

    for (int lane = 0; lane < DOOR_LANES && next.step != DOOR_RUNS; lane++)
        close_attempt(run, &course->attempts[lane]);
    switch (next.step) {
    case DOOR_ATTEMPT:
        begin_attempt(run, who, DOOR_FIRST);
        return;
    case DOOR_WAIT:
        schedule(run, next.wait_us, GO, who, 0);
        return;
    case DOOR_RUNS:
        return;
    case DOOR_OVER:
        end_call(run, who);
        return;
    }
}

/* ---- time ---- */

static void begin_call(struct run *run, uint32_t who)
{
    struct client *client = &run->clients[who];

    client->calls++;
    client->began_us = run->now_us;
    client->course = new_course(run);
    if (!client->course) {
        fail(run, -ENOMEM);
        return;
    }
    run->result->under_way++;
    door_open(&client->course->door, run->query);
    if (client->course->door.is_gated)
        run->slot = client->course->door.gate.slot;
    move(run, who, door_go(&client->course->door));
}

static void worked(struct run *run, uint32_t who, struct attempt *attempt)
{
    if (!attempt && !run->scenario->deaf)
        return; /* the worker has been free since it was given up */
    if (attempt)
        attempt->where = NOWHERE;
    take_next(run);
    if (attempt)
        end_attempt(run, who, attempt, attempt->fate);
}

static void happen(struct run *run, const struct queue_event *event)
{
    const struct client *client = &run->clients[event->who];
    struct attempt *attempt = find_attempt(client, event->serial);

    switch ((enum event_kind)event->kind) {
    case BEGIN:
        begin_call(run, event->who);
        return;
    case GO:
        move(run, event->who, door_go(&client->course->door));
        return;
    case HEDGE:
        if (attempt && door_hedges(&client->course->door))
            begin_attempt(run, event->who, DOOR_SECOND);
        return;
    case REFUSAL:
        if (attempt)
            end_attempt(run, event->who, attempt, attempt->fate);
        return;
    case WORKED:
        worked(run, event->who, attempt);
        return;
    case LATE:
        if (attempt)
            end_attempt(run, event->who, attempt, door_late(&client->course->door));
        return;
    }
}

static void look_at_circuit(struct run *run)
{
    enum breaker_state circuit = run->slot ? breaker_state(atomic_load(&run->slot->circuit)) : BREAKER_CLOSED;

    run->result->opened += circuit == BREAKER_OPEN && run->result->circuit != BREAKER_OPEN;
    run->result->circuit = circuit;
}

static void play(struct run *run, const struct watch *watch)
{
    struct queue_event event;
    uint64_t events = 0;

    for (uint32_t who = 0; who < scenario_clients(run->scenario); who++)
        schedule_call(run, who);
    while (!run->error && queue_take(&run->queue, &event)) {
        result_pass(run->result, event.at_us);
        run->now_us = event.at_us;
        virtual_set_us(event.at_us);
        happen(run, &event);
        look_at_circuit(run);
        watch_event(watch, ++events, event.at_us, run->scenario->duration_us);
    }
    if (!run->error)
        result_pass(run->result, run->scenario->duration_us);
}

int run_scenario(const struct scenario *scenario, const struct rules *rules, const struct rules_query *query,
                 const struct watch *watch, struct result *result)
{
    struct run run = {.scenario = scenario, .query = rules ? query : NULL, .result = result};

    result_init(result, scenario->duration_us);
    run.clients = calloc(scenario_clients(scenario), sizeof *run.clients);
    run.error = run.clients ? server_init(&run.server, scenario) : -ENOMEM;
    bool has_engine = rules && run.error == 0;
    if (has_engine)
        run.error = engine_open(&run.engine, rules, 1, scenario->seed);
    has_engine &= run.error == 0;
    if (run.error == 0)
        play(&run, watch);
    if (has_engine)
        engine_close(&run.engine);
    queue_clear(&run.queue);
    server_clear(&run.server);
    free_courses(&run);
    free(run.clients);
    return run.error;
}
