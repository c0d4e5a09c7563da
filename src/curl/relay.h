/*
 * The reply of a second attempt, on its way to the program's handle: that gets it as a made reply
 * (curl/made.h), head and body as they came but for what concerned their own connection. What does not fit
 * into that reply's socket waits here, and the transfer that brings it waits with it.
 */
#ifndef GUSSET_CURL_RELAY_H
#define GUSSET_CURL_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curl/block.h"

struct call;

struct relay {
    struct block block; /* the current one */
    bool is_coded;      /* it came in chunks, which libcurl has put together */
    bool says_chunked;  /* and its head says just that */
    bool has_length;    /* it says how long its body is */
    bool has_room;      /* all lines of it found room */
    bool is_chunked;    /* we say it in chunks: its length is not known */
    bool is_closed;     /* all of it was said */
    char *head;         /* hints, and the current block's lines. Owned */
    size_t block_start; /* where those begin */
    size_t head_length;
    size_t head_size;
    char *body; /* what waits. Owned */
    size_t body_length;
    size_t body_said;
    size_t body_size;
};

void relay_init(struct relay *relay);

/* A header line came. Returns whether a block ends with it. */
bool relay_line(struct relay *relay, const char *line, size_t size);

/* The current block is the reply's: what is said of its body. method: that asked for it. */
void relay_settle(struct relay *relay, uint32_t method);

/* Bytes of the body came, after relay_settle. False where others wait: then none was taken. */
bool relay_body(struct relay *relay, const char *bytes, size_t size);

/* The call's handle gets the reply from here. url: where it pretends to come from; NULL: from nowhere;
 * was_secure: it was asked by TLS. False as for made_begin. */
bool relay_begin(struct relay *relay, struct call *call, const char *url, bool was_secure);

/* Says as much as it takes. Returns whether nothing waits. */
bool relay_flush(struct relay *relay, struct call *call);

/* There is no more; is_whole: because it is over, and not because it broke off. */
void relay_close(struct relay *relay, struct call *call, bool is_whole);

void relay_clear(struct relay *relay);

#endif
