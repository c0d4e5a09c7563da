/*
 * A second attempt at the same time (`hedge`): where the first has not begun to answer after a while, a twin
 * of its handle (curl/twin.h) is run in the same multi handle. Who answers first is the call's: is it the
 * first, the twin is taken out and nobody has noticed; is it the twin, the first transfer is given up, and
 * the program's handle gets the twin's reply (curl/relay.h), which is judged like any other. Where the
 * first fails before, the call waits for the twin as for its next attempt.
 *
 *     hedge_attempt → hedge_look … → hedge_stands … → hedge_takes_over → hedge_serve … → hedge_drop
 */
#ifndef GUSSET_CURL_HEDGE_H
#define GUSSET_CURL_HEDGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "curl/relay.h"
#include "curl/twin.h"

struct call;
struct multi;

enum hedge_phase {
    HEDGE_ASKS,     /* no reply yet */
    HEDGE_ANSWERED, /* its reply has begun, and waits to be chosen */
    HEDGE_RELAYS    /* it was */
};

struct hedge {
    struct call *call; /* NULL: dropped, while messages of its multi handle are read */
    const struct libcurl *libcurl;
    CURL *twin;
    CURLM *real;         /* where it runs */
    struct multi *loop;  /* the program's; NULL: ours */
    struct hedge *after; /* in the loop's list */
    enum hedge_phase phase;
    bool is_in;      /* libcurl has it */
    bool is_paused;  /* it waits for the relay */
    bool is_awaited; /* the first attempt has failed: it is the call's current one */
    bool has_ended;
    CURLcode code; /* how */
    uint32_t method;
    uint64_t first_us; /* when the first attempt began, monotonic */
    uint64_t began_us;
    struct twin_given given;
    struct relay relay;
    char error[CURL_ERROR_SIZE]; /* what libcurl says of it */
};

/* An attempt begins, dressed: is it to have a second beside it, and when? */
void hedge_attempt(struct call *call);

/* The loop that runs the call's transfer in `real` has come by: is it time? Brings its next look nearer. */
void hedge_look(struct call *call, CURLM *real, uint64_t now_us);

/* How the two stand, when the loop's turn is over. */
enum hedge_stand {
    HEDGE_GOES_ON, /* nothing to do */
    HEDGE_WON,     /* hedge_takes_over, with the first transfer taken out */
    HEDGE_FAILED,  /* the call waited for it: it ends with the twin's code */
    HEDGE_IS_UNFIT /* the call waited for it, and its reply cannot be relayed: make another attempt */
};
enum hedge_stand hedge_stands(struct call *call);

/*
 * The handle is made ready for the transfer that gives it the twin's reply. Returns false where that cannot
 * be: then there is no second attempt any more, and the first may be run again.
 */
bool hedge_takes_over(struct call *call);

/* The reply is being relayed: goes on with it. */
void hedge_serve(struct call *call);

/* After VERDICT_RACED: the twin's is the call's current attempt. */
void hedge_await(struct call *call);

/* Whether the call has no transfer of its own just now because it waits for the twin's. */
bool hedge_is_awaited(const struct call *call);

/* The call's transfer has ended, and is about to be judged. Returns how: a reply that broke off on its way to
 * the second attempt has broken off so. */
CURLcode hedge_transfer_ends(struct call *call, CURLcode code);

/* libcurl says that the twin's transfer has ended. */
void hedge_ended(struct hedge *hedge, CURLcode code);

/* There is no second attempt any more. Nothing happens where there was none. */
void hedge_drop(struct call *call);

/* The one that runs by this handle of ours, and how many libcurl has in the loop. */
struct hedge *hedge_of(const struct multi *loop, const CURL *twin);
unsigned hedge_count(const struct multi *loop);

/* The dropped ones of a loop, whose messages have been read. */
void hedge_sweep(struct multi *loop);

#endif
