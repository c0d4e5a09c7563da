/*
 * The server of a scenario: workers that take a request each, and a line before them. It does not know who
 * has given up: what a client asked for and no longer waits for is worked on all the same.
 */
#ifndef GUSSET_SIM_SERVER_H
#define GUSSET_SIM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/outcome.h"
#include "sim/scenario.h"

struct server_request {
    uint32_t client;
    uint64_t serial; /* the client's; which call and attempt it is */
};

struct server {
    const struct scenario *scenario;
    struct server_request *line; /* a ring of scenario->backlog */
    uint32_t first, waiting;
    uint32_t busy; /* workers */
};

/* Returns 0 or -ENOMEM. */
int server_init(struct server *server, const struct scenario *scenario);
void server_clear(struct server *server);

/* What becomes of a request. */
struct server_fate {
    bool is_queued;         /* all else is known when a worker takes it */
    bool is_worked;         /* a worker has it until then: call server_next */
    uint64_t after_us;      /* the answer, from now */
    struct outcome outcome; /* as libcurl would tell it */
};

/* A request arrives at that time. */
struct server_fate server_arrive(struct server *server, const struct server_request *request, uint64_t us);

/* A worker is done. Whether it takes the next request of the line, which is then told, with its fate. */
bool server_next(struct server *server, uint64_t us, struct server_request *request,
                 struct server_fate *fate);

#endif
