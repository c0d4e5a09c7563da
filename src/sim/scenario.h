/*
 * A scenario: clients that call at a rate, a server of some capacity, and the trouble that it is in for a
 * part of the run. A name gives the kind of trouble; every number may then be another.
 */
#ifndef GUSSET_SIM_SCENARIO_H
#define GUSSET_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

enum { SCENARIO_WORKERS_MOST = 1000000 };

struct scenario {
    const char *name;
    /* While it lasts: */
    bool refuses;    /* no connection is accepted */
    double failing;  /* the share of answers that is a 503 */
    double slow;     /* the share of answers that take longer; 1: all */
    double slowness; /* so many times as long; 1: none does */
    double crowd;    /* so many times as many clients call */
    /* The run: */
    uint32_t clients;           /* without the crowd; >= 1 */
    double rate;                /* calls a second of all those clients together; > 0 */
    uint64_t duration_us;       /* calls begin for so long, and then end */
    bool has_from;              /* from_us is meant, even where it is 0 */
    uint64_t from_us, lasts_us; /* of the trouble; 0: as its kind has it */
    uint64_t until_us;          /* follows from these; UINT64_MAX before: to the end */
    uint64_t seed;
    /* The server: */
    uint64_t latency_us; /* of an answer, from half to one and a half of it */
    uint32_t workers;    /* requests that it works on at once; 0: twice of what the rate needs */
    uint32_t backlog;    /* requests that wait for a worker, before it answers 503 at once; 0: five times the
                            workers */
    bool deaf;           /* it does not see that a client has closed its connection */
};

/* A scenario by its name, with the numbers that it has of its own; false where there is none. */
bool scenario_find(const char *name, struct scenario *scenario);

/* The index-th name; NULL behind the last. Static. */
const char *scenario_name(unsigned index);

/* Fills in what follows from other numbers; a trouble without times lasts from a quarter to the half. */
void scenario_complete(struct scenario *scenario);

/* Whether it is in trouble then. */
bool scenario_troubles(const struct scenario *scenario, uint64_t us);

/*
 * When a client calls next, that has begun so many calls, the last of them then: once in its period, give or
 * take a fifth. May be past, where a call took longer. UINT64_MAX: never again.
 */
uint64_t scenario_next_us(const struct scenario *scenario, uint32_t who, uint64_t calls, uint64_t last_us);

/* How many clients there are at most. */
uint32_t scenario_clients(const struct scenario *scenario);

#endif
