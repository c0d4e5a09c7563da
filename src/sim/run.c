#include "sim/run.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/dice.h"
#include "sim/door.h"
#include "sim/engine.h"
#include "sim/queue.h"
#include "sim/server.h"
#include "sim/virtual.h"

enum event_kind {
    BEGIN,  /* the client calls */
    GO,     /* its call has waited */
    ANSWER, /* the server's */
    LATE,   /* its attempt has taken as long as it may */
    WORKED  /* a worker of the server is done */
};

struct client {
    struct door door;
    uint64_t serial;     /* of the attempt under way, or the next: all that was before is over */
    uint64_t calls;      /* begun */
    uint64_t began_us;   /* the call under way */
    struct outcome fate; /* of the attempt under way, once a worker has it */
};

struct run {
    const struct scenario *scenario;
    const struct rules_query *query; /* NULL: bare */
    struct engine engine;
    struct queue queue;
    struct server server;
    struct client *clients;
    struct result *result;
    uint64_t now_us;
    int error; /* the first one */
};

static void schedule(struct run *run, uint64_t after_us, enum event_kind kind, uint32_t who, uint64_t serial)
{
    int result = queue_put(
        &run->queue,
        (struct queue_event){.at_us = run->now_us + after_us, .kind = kind, .who = who, .serial = serial});
    if (result < 0)
        run->error = result;
}

/* ---- clients ---- */

/* A client calls once in its period, give or take a fifth; where a call takes longer the next follows at
 * once. */
static void schedule_call(struct run *run, uint32_t who)
{
    const struct scenario *scenario = run->scenario;
    struct client *client = &run->clients[who];
    struct dice dice = dice_of(scenario->seed, ~(uint64_t)who, client->calls);
    double period_us = 1e6 * scenario->clients / scenario->rate;
    uint64_t next_us;

    if (client->calls == 0) /* they do not all begin at the same moment */
        next_us = (uint64_t)(period_us * dice_share(&dice));
    else
        next_us = client->began_us + (uint64_t)(period_us * dice_about_one(&dice, 0.2));
    if (who >= scenario->clients) { /* of the crowd, which comes with the trouble and goes with it */
        if (client->calls == 0)
            next_us += scenario->from_us;
        if (!scenario_troubles(scenario, next_us))
            return;
    }
    if (next_us < run->now_us)
        next_us = run->now_us;
    if (next_us < scenario->duration_us)
        schedule(run, next_us - run->now_us, BEGIN, who, client->serial);
}

static void end_call(struct run *run, uint32_t who)
{
    struct client *client = &run->clients[who];
    const struct door *door = &client->door;
    bool is_rescued = door->is_good && door->attempts > 1;
    bool is_refused = door->is_refused && door->attempts == 0;
    enum result_end end = door->is_good ? RESULT_GOOD : is_refused ? RESULT_REFUSED : RESULT_FAILED;

    int result = result_call(run->result, run->now_us, end, is_rescued, run->now_us - client->began_us);
    if (result < 0)
        run->error = result;
    run->result->under_way--;
    schedule_call(run, who);
}

static void move(struct run *run, uint32_t who, struct door_move next);

/* ---- attempts ---- */

static void accept_fate(struct run *run, const struct server_request *request, const struct server_fate *fate)
{
    struct client *client = &run->clients[request->client];

    if (fate->is_queued)
        return;
    if (fate->is_worked)
        schedule(run, fate->after_us, WORKED, request->client, request->serial);
    if (client->serial != request->serial)
        return; /* it has given up */
    client->fate = fate->outcome;
    schedule(run, fate->after_us, ANSWER, request->client, request->serial);
}

static void attempt(struct run *run, uint32_t who)
{
    struct client *client = &run->clients[who];
    struct server_request request = {who, client->serial};
    uint64_t limit_us = door_limit_us(&client->door);

    result_attempt(run->result, run->now_us, scenario_troubles(run->scenario, run->now_us));
    if (limit_us != UINT64_MAX)
        schedule(run, limit_us, LATE, who, client->serial);
    struct server_fate fate = server_arrive(&run->server, &request, run->now_us);
    accept_fate(run, &request, &fate);
}

/* A connect knows no status: what a server answers by 503 it refuses. */
static struct outcome as_met(const struct door *door, struct outcome outcome)
{
    bool is_good = outcome.type == OUTCOME_SUCCESS, is_late = outcome.type == OUTCOME_TIMEOUT;

    if (!door->is_connect || is_late)
        return outcome;
    return outcome_of_errno(is_good ? 0 : ECONNREFUSED);
}

static void end_attempt(struct run *run, uint32_t who, struct outcome told)
{
    struct client *client = &run->clients[who];
    struct outcome outcome = as_met(&client->door, told);
    struct gate_attempt ended = {.outcome = outcome,
                                 .method = run->query ? run->query->method : 0,
                                 .sent = !client->door.is_connect && outcome.type != OUTCOME_CONNECT,
                                 .replayable = true,
                                 .retry_after_ms = -1};

    client->serial++;
    move(run, who, door_ended(&client->door, &ended));
}

static void move(struct run *run, uint32_t who, struct door_move next)
{
    switch (next.step) {
    case DOOR_ATTEMPT:
        attempt(run, who);
        return;
    case DOOR_WAIT:
        schedule(run, next.wait_us, GO, who, run->clients[who].serial);
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
    run->result->under_way++;
    door_open(&client->door, run->query);
    move(run, who, door_go(&client->door));
}

static void take_next(struct run *run)
{
    struct server_request request;
    struct server_fate fate;

    if (server_next(&run->server, run->now_us, &request, &fate))
        accept_fate(run, &request, &fate);
}

static void happen(struct run *run, const struct queue_event *event)
{
    struct client *client = &run->clients[event->who];

    if (event->kind == WORKED) {
        take_next(run);
        return;
    }
    if (event->serial != client->serial)
        return; /* of an attempt that is over */
    switch ((enum event_kind)event->kind) {
    case BEGIN:
        begin_call(run, event->who);
        return;
    case GO:
        move(run, event->who, door_go(&client->door));
        return;
    case ANSWER:
        end_attempt(run, event->who, client->fate);
        return;
    case LATE:
        end_attempt(run, event->who, door_late(&client->door));
        return;
    case WORKED:
        return;
    }
}

/* The circuit that the client's last call met. */
static enum breaker_state circuit_of(const struct client *client)
{
    return client->door.is_gated ? breaker_state(atomic_load(&client->door.gate.slot->circuit))
                                 : BREAKER_CLOSED;
}

static void look_at_circuit(struct run *run, uint32_t who)
{
    enum breaker_state circuit = circuit_of(&run->clients[who]);

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
        if (event.kind != WORKED)
            look_at_circuit(run, event.who);
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
    free(run.clients);
    return run.error;
}
