/*
 * The reply, held until it is kept. Header lines are collected until the final block ends; then it is
 * decided once, by the gate: throw the reply away and try again, or hand it over. Once a line or a
 * byte has reached the program nothing can be tried again.
 */
#ifndef GUSSET_CURL_REPLY_H
#define GUSSET_CURL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curl/block.h"

struct call;

enum reply_phase {
    REPLY_HOLDING,   /* nothing has reached the program */
    REPLY_FLUSHING,  /* the program paused while held lines were handed over */
    REPLY_COMMITTED, /* the reply is the program's */
    REPLY_SWALLOWING /* it is thrown away, another attempt follows */
};

struct reply {
    bool is_dressed;
    bool header_is_off; /* CURLOPT_HEADER was set, and is done by us */
    bool is_skimmed;    /* of HTTP whose header lines nobody takes: none of a success need be kept */

    /* Of the attempt; it begins with zeroes from here to the block. */
    enum reply_phase phase;
    bool is_quiet;         /* the fields of the block that comes in are of no interest to anybody */
    bool header_half_done; /* flushing: the line went to the body writer already (CURLOPT_HEADER) */
    bool was_redirected;   /* some block was a redirect that libcurl follows */
    bool program_refused;  /* a callback of the program took less than it was given */
    struct block block;    /* the current one */
    bool owes_pause;       /* the program has paused a call that waited: libcurl hears of it with the body */
    bool is_cut;           /* a fault is rehearsed: the body breaks off after cut_after bytes */
    bool was_cut;          /* it has */
    uint64_t swallowed;
    uint64_t cut_after; /* bytes of the body that may still come */
    size_t length;      /* bytes in lines: each line behind its 32-bit length */
    size_t flushed;
    size_t room;
    char *lines;
};

/* An attempt begins: stands in for the program's header and write functions. */
void reply_attempt(struct call *call);

/* A body of more than so many bytes will break off. After reply_attempt. */
void reply_cut(struct call *call, uint64_t after);

/* The same on a handle that wears everything already, where the last reply was delivered. */
static inline void reply_repeat(struct reply *reply)
{
    reply->phase = REPLY_HOLDING;
    reply->is_quiet = reply->header_half_done = reply->was_redirected = reply->program_refused = false;
    reply->block.status = 0;
    reply->block.has_ended = false;
    reply->length = reply->flushed = 0;
}

/*
 * The attempt has ended without a decision or with the decision to keep: hands over what is held.
 * Returns false when a callback of the program refused it.
 */
bool reply_finish(struct call *call);

/* The program has set a header function or CURLOPT_HEADER, perhaps from a callback. */
void reply_program_set(struct call *call);

/* The usual end: the reply was a success from the first, and the program has taken all of it. */
static inline bool reply_is_delivered(const struct reply *reply)
{
    return reply->phase == REPLY_COMMITTED && block_is_success(&reply->block) && !reply->program_refused;
}

bool reply_has_reached_program(const struct reply *reply);
bool reply_was_redirected(const struct reply *reply);

/* Puts the program's own functions back. */
void reply_restore(struct call *call);

/* The handle has gone that wore it; memory stays where it is little. */
void reply_retire(struct reply *reply);

void reply_clear(struct reply *reply);

#endif
