/* The misbehaviour that a query asks for: `status=503&first=2&retry_after=1`.
 * behave_parse() reads it, behave_settle() decides what of it strikes the n-th request of its key. */
#ifndef BEHAVE_H
#define BEHAVE_H

#include "query.h"

enum behave_place { BEHAVE_HEADERS = 1, BEHAVE_BODY };
enum behave_how { BEHAVE_STATUS = 1, BEHAVE_RESET, BEHAVE_MIXED };
enum behave_echo { BEHAVE_ECHO_REQUEST = 1, BEHAVE_ECHO_BODY };

#define BEHAVE_ABSENT UINT64_MAX

/* Struck only where first= and fail= let it. */
struct behave_fault {
    uint64_t status; /* 0: not asked for */
    int reset;       /* enum behave_place, 0: no */
    int close;
    int stall;
    int length; /* 1: overstated */
    uint64_t late_ms;
    uint64_t lose;
    uint64_t auth;
    const char *redirect;
};

/* Struck where first= lets it. */
struct behave_pace {
    uint64_t delay_ms;
    uint64_t bytes_per_second;
};

struct behave {
    const char *key; /* NULL: the path */
    struct behave_fault fault;
    struct behave_pace pace;
    uint64_t stall_ms;
    uint64_t first;   /* BEHAVE_ABSENT: all */
    uint64_t percent; /* BEHAVE_ABSENT: all */
    uint64_t seed;
    int how; /* enum behave_how, 0: by the fault that is asked for, else status */

    uint64_t body; /* bytes, or BEHAVE_ABSENT */
    const char *text;
    int echo; /* enum behave_echo, 0: no */
    uint64_t chunked;
    uint64_t header_bytes;
    uint64_t early;
    uint64_t etag;
    const char *cookie;
    const char *retry_after;
};

/* Decodes the query in place; the texts point into it. False, with a sentence, at a mistake. */
bool behave_parse(struct behave *behave, char *query, char why[QUERY_WHY]);

/* Does fail=percent strike the nth request (from 1) of its key? splitmix64, so that it is the same
 * everywhere and for ever. */
bool behave_dice(uint64_t seed, uint64_t nth, uint64_t percent);

/* Reduces it to what strikes the nth request of its key. *hits counts the dice's failures of that
 * key, by which how=mixed alternates. */
void behave_settle(struct behave *behave, uint64_t nth, uint64_t *hits);

/* Reduces it to an answer with `status` at once, whatever else was asked for. */
void behave_override(struct behave *behave, uint64_t status);

#endif
