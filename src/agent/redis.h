/*
 * A connection to a Redis that never holds up its loop: commands go out together, the last one's reply is
 * what is waited for. Where the server is away it is tried again, ever less often up to half a minute; nobody
 * notices. Looking a name up is libc's and may take as long as its servers do: an address in numbers costs no
 * such wait.
 */
#ifndef GUSSET_AGENT_REDIS_H
#define GUSSET_AGENT_REDIS_H

#include <poll.h>
#include <stdbool.h>

#include "agent/redis_url.h"
#include "agent/resp.h"

enum {
    REDIS_REPLY = 1 << 20, /* the longest that is taken */
    REDIS_VALUES = 260     /* the most of an array, itself included */
};

/* What the log says of it. */
enum redis_told { REDIS_UNTOLD, REDIS_TOLD_AWAY, REDIS_TOLD_THERE };

enum redis_phase { REDIS_AWAY, REDIS_CONNECTING, REDIS_GREETING, REDIS_IDLE, REDIS_ASKED };

struct redis { /* zero: none is asked for */
    struct redis_url url;
    enum redis_phase phase;
    int socket;
    unsigned failures; /* in a row, until it was of use */
    unsigned replies;  /* that are still to come */
    uint64_t due_ms;   /* AWAY: when it is tried again; IDLE: never; else when the server is given up */
    enum redis_told told;
    char *out; /* heap: what is being sent */
    size_t out_length, sent;
    char *in; /* heap, REDIS_REPLY bytes; NULL: there is no Redis */
    size_t in_length, reply_length;
};

/* Reads the URL (redis_url.h); connects from the loop. Returns NULL, or a sentence without a word of the URL.
 */
const char *redis_open(struct redis *redis, const char *url);
void redis_close(struct redis *redis);

/* For the loop: what to wait for, until when (milliseconds from now), and what came. */
void redis_prepare(struct redis *redis, struct pollfd *polled);
uint32_t redis_pause_ms(const struct redis *redis);
void redis_continue(struct redis *redis, const struct pollfd *polled);

/*
 * Sends commands (heap, as resp_write wrote them; taken over), count of them. Only in REDIS_IDLE; NULL gives
 * the connection up.
 */
void redis_ask(struct redis *redis, char *commands, size_t length, unsigned count);

/*
 * The next reply, which may be an error: how many values it holds; 0 while there is none. It stays until
 * redis_take ends it; behind the last one the connection is idle again. replies says how many are to come.
 */
unsigned redis_reply(struct redis *redis, struct resp_value values[REDIS_VALUES]);
void redis_take(struct redis *redis);

/* All was answered that was wanted of it: only now it counts as there. One that greets and then refuses is
 * away. */
void redis_was_of_use(struct redis *redis);

/* The reply is an error, with which the connection is of no use: it is given up, and told. */
void redis_refuse(struct redis *redis, const struct resp_value *error);

#endif
