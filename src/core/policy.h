/*
 * What a rule says, as numbers: the form in which a policy lies in the rule image and in which the
 * engine reads it. Every scalar is a uint32_t, so that one table (config/settings) can describe them
 * all; strings are offsets into the image's string pool, 0 being the empty string.
 */
#ifndef GUSSET_CORE_POLICY_H
#define GUSSET_CORE_POLICY_H

#include <stdint.h>

#include "core/breaker.h"
#include "core/limit.h"
#include "core/rehearsal.h"
#include "core/retry.h"

/* A group that a policy does not name is not applied. */
enum policy_group {
    POLICY_TIMEOUT = 1 << 0,
    POLICY_RETRY = 1 << 1,
    POLICY_BREAKER = 1 << 2,
    POLICY_LIMIT = 1 << 3,
    POLICY_POOL = 1 << 4,
    POLICY_BULKHEAD = 1 << 5,
    POLICY_FALLBACK = 1 << 8,
    POLICY_FAULT = 1 << 9,
    POLICY_STALE = 1 << 10,
    POLICY_HEDGE = 1 << 11
};

enum policy_mode { POLICY_ENFORCE, POLICY_SHADOW, POLICY_OFF };
enum policy_scope { POLICY_SCOPE_POLICY, POLICY_SCOPE_HOST };

enum policy_reject { /* what a call that may not go is told */
                     POLICY_REJECT_ERROR,
                     POLICY_REJECT_REPLY, /* a reply made for it: 503 of an open circuit, 429 of a limit */
                     POLICY_REJECT_WAIT   /* nothing yet: it stays until the circuit closes */
};

enum policy_propagate {
    POLICY_REQUEST_ID = 1 << 0,
    POLICY_TENANT_ID = 1 << 1,
    POLICY_PROJECT_ID = 1 << 2,
    POLICY_TRACEPARENT = 1 << 3,
    POLICY_TIME_LEFT = 1 << 4 /* what timeout.header asks for; no word of propagate */
};

struct policy_timeouts { /* milliseconds; 0: none */
    uint32_t connect_ms;
    uint32_t attempt_ms;
    uint32_t total_ms;
    uint32_t idle_ms;
    uint32_t transfer_ms;
    uint32_t header; /* string: a template; names the header that carries what is left */
};

struct policy_breaker {
    struct breaker_rule rule;
    uint32_t refusal_errno; /* what connect(2) reports when the circuit is open */
    uint32_t scope;         /* enum policy_scope */
    uint32_t reject;        /* enum policy_reject */
    struct outcome_set on;  /* what counts as a failure */
};

struct policy_limit {
    struct limit_rule rule;
    uint32_t key;    /* string: a template, expanded in the process */
    uint32_t reject; /* enum policy_reject: ERROR or REPLY */
};

struct policy_bulkhead {
    uint32_t calls;   /* the most in flight at once, of all processes together */
    uint32_t wait_ms; /* how long a call may be kept waiting for a place */
};

struct policy_pool {
    uint32_t share;       /* 0 or 1: connections outlive the program's handles */
    uint32_t connections; /* the most that a thread keeps, over all its handles' settings */
    uint32_t keepalive;   /* the most that are kept for handles of the same settings; not above connections */
};

/* What a program is given instead of a failure. */
struct policy_fallback {
    uint32_t status;
    uint32_t type;    /* strings: templates, expanded in the process */
    uint32_t body;    /* empty where there is a file */
    uint32_t file;    /* absolute path; empty: body counts */
    uint32_t methods; /* bits of core/method.h */
};

enum { POLICY_HEDGE_QUANTILE = 1u << 30 };

/* A second attempt at the same time, where the first has not begun to answer. */
struct policy_hedge {
    uint32_t after; /* milliseconds; or POLICY_HEDGE_QUANTILE, and a percentage of the host's own latencies */
};

/* The last good reply to each GET, kept for the time when its host is down. */
struct policy_stale {
    uint32_t size; /* bytes, of all that are kept */
    uint32_t age_ms;
};

struct policy {
    uint32_t name;   /* string */
    uint32_t groups; /* bits of enum policy_group that are applied */
    struct policy_timeouts timeout;
    struct retry_rule retry;
    struct policy_breaker breaker;
    struct policy_limit limit;
    struct policy_bulkhead bulkhead;
    struct policy_pool pool;
    struct policy_fallback fallback;
    struct rehearsal_rule fault;
    struct policy_stale stale;
    struct policy_hedge hedge;
    uint32_t propagate;     /* bits of enum policy_propagate */
    uint32_t headers_first; /* the policy's own in the image's header table */
    uint32_t headers_count;
    uint32_t patches_first; /* settings whose value is a template: the image's patch table */
    uint32_t patches_count;
};

#endif
