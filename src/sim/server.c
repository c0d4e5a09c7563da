#include "sim/server.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/dice.h"

enum { REFUSAL_US = 500, CURL_COULDNT_CONNECT = 7 };

int server_init(struct server *server, const struct scenario *scenario)
{
    *server = (struct server){.scenario = scenario};
    server->line = calloc(scenario->backlog, sizeof *server->line);
    return server->line ? 0 : -ENOMEM;
}

void server_clear(struct server *server)
{
    free(server->line);
    *server = (struct server){0};
}

/* What was drawn for this request, whichever way it came to be made now. */
static struct server_fate work(struct server *server, const struct server_request *request, uint64_t us)
{
    const struct scenario *scenario = server->scenario;
    bool troubled = scenario_troubles(scenario, us);
    struct dice dice = dice_of(scenario->seed, request->client, request->serial);
    double latency_us = (double)scenario->latency_us * dice_about_one(&dice, 0.5);
    bool fails = troubled && dice_share(&dice) < scenario->failing;

    server->busy++;
    return (struct server_fate){.is_worked = true,
                                .after_us =
                                    (uint64_t)(troubled ? latency_us * scenario->slowness : latency_us),
                                .outcome = outcome_of_status(fails ? 503 : 200)};
}

struct server_fate server_arrive(struct server *server, const struct server_request *request, uint64_t us)
{
    const struct scenario *scenario = server->scenario;

    if (scenario->refuses && scenario_troubles(scenario, us))
        return (struct server_fate){.after_us = REFUSAL_US, .outcome = outcome_of_curl(CURL_COULDNT_CONNECT)};
    if (server->busy < scenario->workers)
        return work(server, request, us);
    if (server->waiting == scenario->backlog)
        return (struct server_fate){.after_us = REFUSAL_US, .outcome = outcome_of_status(503)};
    server->line[(server->first + server->waiting++) % scenario->backlog] = *request;
    return (struct server_fate){.is_queued = true};
}

bool server_next(struct server *server, uint64_t us, struct server_request *request, struct server_fate *fate)
{
    server->busy--;
    if (server->waiting == 0)
        return false;
    *request = server->line[server->first];
    server->first = (server->first + 1) % server->scenario->backlog;
    server->waiting--;
    *fate = work(server, request, us);
    return true;
}
