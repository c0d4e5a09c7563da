/*
 * The event ring in the shared state: what was decided, newest last, lock-free and bounded. A reader
 * that is overtaken sees a gap in the numbers, never a torn event.
 */
#ifndef GUSSET_REPORT_EVENTS_H
#define GUSSET_REPORT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/outcome.h"
#include "state/map.h"

#define EVENTS_LIST(X)                                                                                       \
    X(RETRY, "retry")         /* an attempt failed and will be made again; detail: the wait in ms */         \
    X(EXHAUSTED, "exhausted") /* no tries left; attempt: how many were made */                               \
    X(UNFUNDED, "unfunded")   /* not tried again: the retry budget is spent */                               \
    X(RESCUED, "rescued")     /* a call ended well after retries; detail: how long it took in ms */          \
    X(REJECTED, "rejected")   /* refused: circuit open; detail: when it is worth trying again in ms */       \
    X(LIMITED, "limited")     /* refused: rate limit; detail likewise */                                     \
    X(CROWDED, "crowded")     /* refused: the bulkhead is full */                                            \
    X(WAITS, "waits")         /* kept waiting; detail: how long at first in ms */                            \
    X(OFFLINE, "offline")     /* every host fails: the machine has lost its network, circuits stay */        \
    X(LATE, "late")           /* refused: the run's deadline has passed */                                   \
    X(OPENED, "opened")       /* the circuit opened; detail: for how long in ms */                           \
    X(PROBE, "probe")         /* the circuit is half open, this call probes */                               \
    X(CLOSED, "closed")       /* the circuit closed */                                                       \
    X(TRIPPED, "tripped")     /* opened by hand; detail: for how long in ms, 0: until reset */               \
    X(RESET, "reset")         /* closed by hand */                                                           \
    X(HELD, "held")           /* held closed by hand; detail: for how long in ms, 0: until reset */          \
    X(RESUMED,                                                                                               \
      "resumed")      /* a body broke off, the next attempt goes on; detail: how much there was, in KiB */   \
    X(STALE, "stale") /* an earlier reply was given; detail: how old it is, in seconds */                    \
    X(FAULT, "fault") /* a rehearsed fault struck the attempt; detail: enum rehearsal_error, or a status */  \
    X(FALLBACK, "fallback")   /* the rule's fallback was given; detail: its status */                        \
    X(UNHEALTHY, "unhealthy") /* health checks failed, the circuit opened; detail: for how long in ms */     \
    X(HEALTHY, "healthy")     /* a health check went well again, the circuit closed */                       \
    X(FOLLOWED,                                                                                              \
      "followed") /* another machine's circuit is open, so this opened; detail: for how long in ms */        \
    X(RELEASED, "released") /* the other machine's closed, so this closed */                                 \
    X(HEDGED, "hedged")     /* made a second time side by side; detail: after how long in ms */

enum events_kind {
    EVENTS_NONE = 0,
#define X(name, text) EVENTS_##name,
    EVENTS_LIST(X)
#undef X
        EVENTS_KINDS
};

struct events_entry { /* an event in the caller's memory */
    uint64_t number;  /* from 0, of this state file */
    uint64_t unix_ms;
    uint64_t key;
    uint32_t pid;
    uint32_t detail;
    enum events_kind kind;
    enum outcome_type outcome;
    uint16_t attempt;
    uint16_t status;
    bool shadow;
    char host[sizeof((struct layout_event *)0)->host];
};

/* Puts an event into the ring; number is filled in. A few dozen nanoseconds; no lock, no allocation. */
void events_put(struct map *map, const struct events_entry *entry);

/*
 * Copies the first event whose number is >= *number into entry and moves *number behind it. Returns false
 * when there is none. Numbers that were overwritten meanwhile are skipped.
 */
bool events_next(struct map *map, uint64_t *number, struct events_entry *entry);

/* The number that the next event will have. */
uint64_t events_end(struct map *map);

const char *events_kind_name(enum events_kind kind);

#endif
