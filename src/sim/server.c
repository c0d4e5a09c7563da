#include "sim/server.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/dice.h"

enum { REFUSAL_US = 500, CURL_COULDNT_CONNECT = 7, ROOM_FIRST = 64 };

int server_init(struct server *server, const struct scenario *scenario)
{
    *server = (struct server){.scenario = scenario, .room = ROOM_FIRST};
    server->line = calloc(server->room, sizeof *server->line);
    return server->line ? 0 : -ENOMEM;
}

void server_clear(struct server *server)
{
    free(server->line);
    *server = (struct server){0};
}

/* ---- workers ---- */

/* What was drawn for this request, whichever way it came to be made now. */
static struct server_fate work(struct server *server, const struct server_request *request, uint64_t us)
{
    const struct scenario *scenario = server->scenario;
    bool troubled = scenario_troubles(scenario, us);
    struct dice dice = dice_of(scenario->seed, request->client, request->dice);
    double latency_us = (double)scenario->latency_us * dice_about_one(&dice, 0.5);
    bool fails = dice_share(&dice) < scenario->failing && troubled;
    bool is_slow = dice_share(&dice) < scenario->slow && troubled;

    server->busy++;
    return (struct server_fate){.is_worked = true,
                                .after_us =
                                    (uint64_t)(is_slow ? latency_us * scenario->slowness : latency_us),
                                .outcome = outcome_of_status(fails ? 503 : 200)};
}

/* ---- the line ---- */

static struct server_request *at(const struct server *server, uint64_t place)
{
    return &server->line[place & (server->room - 1)];
}

static int make_room(struct server *server)
{
    struct server wider = *server;

    if (server->end - server->first < server->room)
        return 0;
    wider.room *= 2;
    wider.line = calloc(wider.room, sizeof *wider.line);
    if (!wider.line)
        return -ENOMEM;
    for (uint64_t place = server->first; place < server->end; place++)
        *at(&wider, place) = *at(server, place);
    free(server->line);
    *server = wider;
    return 0;
}

static void pass_over_gone(struct server *server)
{
    while (server->first < server->end && !at(server, server->first)->serial)
        server->first++;
}

void server_leave(struct server *server, uint64_t place)
{
    at(server, place)->serial = 0;
    server->waiting--;
    pass_over_gone(server);
}

/* ---- requests ---- */

int server_arrive(struct server *server, const struct server_request *request, uint64_t us,
                  struct server_fate *fate)
{
    const struct scenario *scenario = server->scenario;

    if (scenario->refuses && scenario_troubles(scenario, us)) {
        *fate =
            (struct server_fate){.after_us = REFUSAL_US, .outcome = outcome_of_curl(CURL_COULDNT_CONNECT)};
        return 0;
    }
    if (server->busy < scenario->workers) {
        *fate = work(server, request, us);
        return 0;
    }
    if (server->waiting == scenario->backlog) {
        *fate = (struct server_fate){.after_us = REFUSAL_US, .outcome = outcome_of_status(503)};
        return 0;
    }
    if (make_room(server) < 0)
        return -ENOMEM;
    *fate = (struct server_fate){.is_queued = true, .place = server->end};
    *at(server, server->end++) = *request;
    server->waiting++;
    return 0;
}

bool server_next(struct server *server, uint64_t us, struct server_request *request, struct server_fate *fate)
{
    server->busy--;
    if (server->waiting == 0)
        return false;
    *request = *at(server, server->first++);
    server->waiting--;
    pass_over_gone(server);
    *fate = work(server, request, us);
    return true;
}
