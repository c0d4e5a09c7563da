/*
 * The shared state: the bytes that every process of a user sees. Fixed-width fields only, every one an
 * atomic word or written once before it is published; a test pins the offsets. Change anything here and
 * raise LAYOUT_VERSION: the version is part of the file's name, so old and new never meet.
 *
 *   header (4096 bytes) | hosts × struct layout_host | LAYOUT_EVENTS × struct layout_event
 *     | LAYOUT_PLACES × struct layout_places
 */
#ifndef GUSSET_STATE_LAYOUT_H
#define GUSSET_STATE_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/window.h"

enum {
    LAYOUT_VERSION = 3,
    LAYOUT_HOSTS_DEFAULT = 4096,
    LAYOUT_HOSTS_MIN = 64,
    LAYOUT_HOSTS_MAX = 1 << 20,
    LAYOUT_EVENTS = 4096, /* a power of two */
    LAYOUT_HOST_TEXT = 160,
    LAYOUT_POLICY_TEXT = 64,
    LAYOUT_LATENCY_BUCKETS = 96,
    LAYOUT_UNPROTECTED = 8,
    LAYOUT_HOST_MODES = 64,
    LAYOUT_ERRORS = 16,
    LAYOUT_PLACES = 2048, /* a power of two */
    LAYOUT_PLACES_A_ROW = 7,
    LAYOUT_SPACES = 63 /* pid namespaces whose processes can be told to be gone */
};

#define LAYOUT_MAGIC "gusset\n\1"

/* What is counted for a host, in this order; names are what `status --json` prints. */
#define LAYOUT_COUNTERS(X)                                                                                   \
    X(calls)        /* calls of the program that a rule judged */                                            \
    X(attempts)     /* attempts made for them */                                                             \
    X(retries)      /* attempts beyond the first */                                                          \
    X(failures)     /* attempts that failed, by breaker.on */                                                \
    X(rescued)      /* calls that ended well after a retry */                                                \
    X(failed)       /* calls that were refused, got no reply, or one that breaker.on means */                \
    X(rejected)     /* calls refused because the circuit was open */                                         \
    X(limited)      /* calls refused by the rate limit */                                                    \
    X(exhausted)    /* calls that had no tries left */                                                       \
    X(unfunded)     /* calls not retried because the budget was spent */                                     \
    X(opened)       /* times that the circuit opened */                                                      \
    X(would_reject) /* shadow: calls that would have been refused */                                         \
    X(would_retry)  /* shadow: outcomes that would have been tried again */                                  \
    X(nested)       /* calls that the program itself made again after they had failed: tried fewer times */  \
    X(crowded)      /* calls refused because the bulkhead was full */                                        \
    X(offline)      /* failures not held against the host: the machine had lost its network */               \
    X(waited)       /* calls kept waiting for a token, a place or a circuit */                               \
    X(fallback)     /* calls that were given the rule's fallback instead of their failure */                 \
    X(stale)        /* calls that were given an earlier reply instead of their failure */                    \
    X(resumed)      /* attempts that went on with a body that had broken off */                              \
    X(faults)       /* attempts that a rehearsed fault struck */                                             \
    X(would_fall_back) /* shadow: calls that would have been */                                              \
    X(late)            /* calls refused because the run's deadline had passed */                             \
    X(hedged)          /* calls that were made a second time side by side */                                 \
    X(hedge_won)       /* of these, those that the second attempt answered */                                \
    X(would_hedge)     /* shadow: calls that would have been */

enum layout_counter {
#define X(name) LAYOUT_COUNT_##name,
    LAYOUT_COUNTERS(X)
#undef X
        LAYOUT_COUNTERS_USED
};
enum { LAYOUT_COUNTERS_ROOM = 32 };

struct layout_header {
    char magic[8];
    uint32_t version;
    uint32_t hosts; /* slots; a reader believes the file's size, not this */
    uint64_t created_unix_ms;
    char boot_id[40]; /* /proc/sys/kernel/random/boot_id: monotonic times of another boot mean nothing */
    /* What running programs are told, one word that each call reads: state/control.h. */
    _Atomic uint64_t control;
    _Alignas(64) _Atomic uint64_t
        event_next; /* number of the next event; its slot is the number modulo LAYOUT_EVENTS */
    /* Connects that no rule meant, in several lines, so that processes do not wait for each other. */
    struct {
        _Alignas(64) _Atomic uint64_t count;
    } unprotected[LAYOUT_UNPROTECTED];
    _Atomic uint64_t host_modes[LAYOUT_HOST_MODES]; /* hosts switched by hand; state/control.h */
    _Atomic uint64_t spaces[LAYOUT_SPACES]; /* inodes of the pid namespaces that hold places; 0: free */
    /* Whether the machine has lost its network (gate/network): written by what fails, read where calls end
     * well. */
    _Alignas(64) _Atomic uint64_t suspect; /* since when it is suspected; 0: it is not */
    _Atomic uint64_t troubled[2];          /* two hosts that failed since then, and when */
    char reserved[4096 - 1728 - 3 * 8];
};

struct layout_host {
    /* One cache line that every call touches. */
    _Alignas(
        64) _Atomic uint64_t key; /* 0: free; 1 + unix ms shifted by one: being filled; else the hash, even */
    _Atomic uint64_t circuit;     /* core/breaker */
    _Atomic uint64_t limit;       /* core/limit */
    _Atomic uint64_t used_ms;     /* monotonic, about a second coarse: who is evicted */
    _Atomic uint64_t
        patience_ms; /* monotonic: until when the host asked to be left alone (Retry-After); 0: it did not */
    _Atomic uint64_t calm;      /* core/breaker: how long the circuit was open before it closed */
    _Atomic uint64_t elsewhere; /* what circuit was set to because another machine's is open: equal to it
                                   while that is so */
    uint64_t reserved[1];

    _Atomic uint64_t outcomes[WINDOW_SLOTS]; /* attempts and failures, over breaker.rate.window */
    _Atomic uint64_t budget[WINDOW_SLOTS];   /* calls and retries, over ten seconds */
    _Atomic uint64_t slow[WINDOW_SLOTS];     /* attempts and those that were slow, over breaker.rate.window */
    _Atomic uint64_t counters[LAYOUT_COUNTERS_ROOM];
    _Atomic uint32_t latency[LAYOUT_LATENCY_BUCKETS]; /* of calls, report/histogram */
    char host[LAYOUT_HOST_TEXT];     /* "name:port", NUL-terminated, cut where it is longer */
    char policy[LAYOUT_POLICY_TEXT]; /* the policy's name, and behind a '/' a hash of the bucket's key */
    /* By error type (core/outcome, without success): attempts that ended so, and calls that were refused. */
    _Atomic uint32_t errors[LAYOUT_ERRORS];
    char tail[48];
};

struct layout_event {
    _Atomic uint64_t number; /* 1 + event number once written; 0 while it is being written */
    uint64_t unix_ms;
    uint64_t key; /* of the host's slot */
    uint32_t pid;
    uint32_t detail; /* milliseconds, or a status: by kind */
    uint8_t kind;    /* enum events_kind */
    uint8_t outcome; /* enum outcome_type */
    uint16_t attempt;
    uint16_t status; /* HTTP status, CURLcode or errno of the outcome, as it applies */
    uint8_t shadow;  /* 1: would have been done */
    uint8_t reserved;
    char host[88]; /* "name:port", cut */
};

/* Places that calls in flight hold, a row of them for a key; a bulkhead has as many rows as it needs. */
struct layout_places {
    _Alignas(64) _Atomic uint64_t tag;            /* whose row this is (state/places); 0: nobody's yet */
    _Atomic uint64_t owners[LAYOUT_PLACES_A_ROW]; /* core/owner; 0: free */
};

static_assert(sizeof(struct layout_header) == 4096, "the header is a page");
static_assert(sizeof(struct layout_host) % 64 == 0, "slots do not share cache lines");
static_assert(sizeof(struct layout_host) == 1280, "a slot is twenty lines");
static_assert(offsetof(struct layout_host, outcomes) == 64, "the first line is for the words of each call");
static_assert(sizeof(struct layout_event) == 128, "two lines an event");
static_assert(sizeof(struct layout_places) == 64, "a row is a line");
static_assert((int)LAYOUT_COUNTERS_USED <= (int)LAYOUT_COUNTERS_ROOM, "room for the counters");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit words are lock-free");

#endif
