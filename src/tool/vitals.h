/*
 * What is remembered of an address's health, in the shared state, so that checks by the command, by cron and
 * by a daemon count together; and what follows for the circuits. The memory of an address is a slot of its
 * own.
 */
#ifndef GUSSET_TOOL_VITALS_H
#define GUSSET_TOOL_VITALS_H

#include "config/rules.h"
#include "core/outcome.h"
#include "state/map.h"
#include "tool/snapshot.h"

enum vitals_state { VITALS_UNKNOWN, VITALS_HEALTHY, VITALS_DEGRADED, VITALS_UNHEALTHY };

struct vitals {
    enum vitals_state state;
    uint64_t since_unix_ms; /* when it came into this state */
    uint32_t failures;      /* in a row */
    struct outcome last;    /* the last failure, its type and status; type OUTCOME_SUCCESS: there was none */
};

/* "HEALTHY", "DEGRADED", "UNHEALTHY", "UNKNOWN". Static. */
const char *vitals_state_name(enum vitals_state state);

/* Whether a bucket of the state is such a memory; what it holds goes to *vitals. Its host is the address, its
 * policy the service's name behind an '@'. */
bool vitals_of(const struct snapshot *bucket, struct vitals *vitals);

/* What is known of an address ("10.0.0.5:8001") of the service. */
struct vitals vitals_read(struct map *map, const char *service, const char *address);

/*
 * Adds the outcome of a check; threshold failures in a row make it UNHEALTHY. What this side caused changes
 * nothing. Returns what is known from now on.
 */
struct vitals vitals_add(struct map *map, const char *service, const char *address, struct outcome outcome,
                         uint32_t threshold);

/*
 * What follows from the change from before to now: the circuits that the state has of an address of a
 * service, or with address NULL of the service itself, open for open_ms when it is unhealthy, and close when
 * it is healthy again. What somebody opened until it is reset, or holds closed, stays so.
 */
void vitals_feed(struct map *map, const char *service, const char *address, enum vitals_state before,
                 enum vitals_state now, uint32_t open_ms);

#endif
