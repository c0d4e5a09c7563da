/*
 * An easy handle's place in a multi handle: which one, and how far its call has come there. Seats lie in
 * the handles and are linked.
 */
#ifndef GUSSET_CURL_SEAT_H
#define GUSSET_CURL_SEAT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/verdict.h"

struct handle;
struct multi;

enum seat_place {
    SEAT_NEW,    /* added; its options may still be set, so no rule was searched yet */
    SEAT_PLAIN,  /* none of ours: no rule matches, or its call is over */
    SEAT_RUNS,   /* a call of ours; libcurl runs its transfer */
    SEAT_PARKED, /* a call of ours that waits, and libcurl does not have it meanwhile */
    SEAT_PLACES
};

/* A message for curl_multi_info_read, as libcurl would have it. */
struct seat_message {
    CURLMsg message;
    struct seat_message *next;
    bool is_queued;
};

struct seat {
    struct multi *multi; /* NULL: it sits nowhere */
    enum seat_place place;
    bool is_routine;       /* its last call here was one of routine; holds while the handle is settled */
    bool is_end_owed;      /* the program's notice of its transfer's end (curl/notices) */
    bool is_admitted;      /* parked: it has waited for its token and need not ask again */
    uint64_t due_us;       /* parked: until then, monotonic */
    struct handle *before; /* in the multi handle's list */
    struct handle *after;
    struct verdict refusal; /* runs, where the handle is refused: why */
    struct seat_message message;
};

/* A handle sits down in a multi handle as a new one, before all others; and it gets up. */
void seat_take(struct handle *handle, struct multi *multi);
void seat_leave(struct handle *handle);

/* Its call has come further. */
void seat_move(struct handle *handle, enum seat_place place);

#endif
