/*
 * The server of a scenario: workers that take a request each, and a line before them. Who has given up closes
 * the connection: the request leaves the line, or its worker takes the next. A deaf server (scenario) does
 * not see that, and works on all the same.
 */
#ifndef GUSSET_SIM_SERVER_H
#define GUSSET_SIM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/outcome.h"
#include "sim/scenario.h"

struct server_request {
    uint32_t client;
    uint64_t serial; /* the client's own, never 0: which of its attempts this is */
    uint64_t dice; /* what its dice are called: the same, whatever a policy does, for a call's n-th attempt */
};

struct server {
    const struct scenario *scenario;
    struct server_request *line; /* a ring; serial 0: who stood there has gone */
    uint64_t room;               /* of the ring: a power of two */
    uint64_t first, end;         /* places in the line, counted from the beginning */
    uint32_t waiting;            /* of those, that have not gone */
    uint32_t busy;               /* workers */
};

/* Returns 0 or -ENOMEM. */
int server_init(struct server *server, const struct scenario *scenario);
void server_clear(struct server *server);

/* What becomes of a request. */
struct server_fate {
    bool is_queued;         /* all else is known when a worker takes it */
    bool is_worked;         /* a worker has it until then: call server_next */
    uint64_t place;         /* in the line */
    uint64_t after_us;      /* the answer, from now */
    struct outcome outcome; /* as libcurl would tell it */
};

/* A request arrives at that time. Returns 0 or -ENOMEM. */
int server_arrive(struct server *server, const struct server_request *request, uint64_t us,
                  struct server_fate *fate);

/* A worker is done, or what it works on is given up. Whether it takes the next request of the line, which is
 * then told, with its fate. */
bool server_next(struct server *server, uint64_t us, struct server_request *request,
                 struct server_fate *fate);

/* Who waits at that place of the line has gone. */
void server_leave(struct server *server, uint64_t place);

#endif
