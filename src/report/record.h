/*
 * The record of calls that `gusset run --record` asks for: a line of JSON for each attempt and each refusal,
 * one write(2) a line, in a file of its own. What `gusset replay` needs is in it and nothing else: host and
 * port, method, times, outcomes; no path, no query, no header.
 */
#ifndef GUSSET_REPORT_RECORD_H
#define GUSSET_REPORT_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/outcome.h"

/* Set once at the start, before others record; path is absolute, NULL or "": nothing is recorded. */
void record_open(const char *path);

extern atomic_bool record_is_open;

static inline bool record_wants(void)
{
    return atomic_load_explicit(&record_is_open, memory_order_relaxed);
}

struct record_entry {
    uint64_t call;      /* the same for all attempts of a call, in this process */
    uint64_t opened_us; /* monotonic: when the call began */
    uint64_t began_us;  /* the attempt */
    uint64_t ended_us;
    uint64_t hedged_us; /* when a second attempt was made beside it; 0: none was */
    const char *host;   /* "name:port" */
    const char *policy;
    uint32_t method;  /* a bit of core/method.h; 0: a connect */
    uint16_t attempt; /* from 1; of a refusal, the one that was not made */
    bool shadow;
    bool sent, idempotent, is_elsewhere; /* as for gate_attempt */
    int64_t retry_after_ms;              /* -1: none */
    struct outcome outcome;              /* circuit_open and limited: refused */
};

/* A number for a new call. */
uint64_t record_number(void);

void record_put(const struct record_entry *entry);

#endif
