/* A reply as bytes: its head, its body piece by piece, and where a fault cuts it short.
 * Filled in by whoever answers, written by the connection. Zero is a 200 with an empty body. */
#ifndef REPLY_H
#define REPLY_H

#include "buffer.h"
#include "request.h"

enum reply_fault { /* how the connection ends, instead of by the client's wish */
                   REPLY_NO_FAULT,
                   REPLY_RESET, /* RST */
                   REPLY_CLOSE, /* FIN */
                   REPLY_STALL, /* silence for stall_ms, then FIN */
};

enum reply_cut { /* where the fault strikes */
                 REPLY_BEFORE_HEAD,
                 REPLY_HALF_BODY,
                 REPLY_AFTER_BODY,
};

enum reply_source {
    REPLY_FROM_BODY,    /* reply.body */
    REPLY_FROM_PATTERN, /* reply.length bytes of pattern.h */
    REPLY_FROM_REPEAT,  /* reply.length bytes that repeat reply.body */
    REPLY_FROM_UPLOAD,  /* the request's body, which the connection keeps in reply.body */
};

struct reply {
    unsigned status; /* 0: 200 */
    enum reply_fault fault;
    enum reply_cut cut;
    enum reply_source source;
    bool chunked;
    bool overstates; /* Content-Length says more than there is */
    bool early;      /* a 103 goes before it */
    uint64_t stall_ms;
    uint64_t delay_ms;
    uint64_t bytes_per_second; /* of the body; 0: no limit */
    uint64_t length;           /* of a body that repeats */
    struct buffer headers;     /* further lines, each with its CRLF */
    struct buffer body;

    /* By reply_begin(): */
    bool closes;     /* the connection does not outlive it */
    bool terminator; /* the last chunk is still to come */
    uint64_t given;  /* bytes of the body handed out */
    uint64_t stop;   /* where they end: half of it under a fault, 0 for HEAD */
};

/* Makes it a plain reply with a body of one line; forgets whatever it was. */
void reply_say(struct reply *reply, unsigned status, const char *line);

/* Would its client call this a failure? Error statuses and every fault. */
bool reply_fails(const struct reply *reply);

/* Appends the head; the body must be complete. */
void reply_begin(struct reply *reply, const struct request *request, struct buffer *out);

/* Appends a further piece of the body, at most 16 KB; false if there is none. */
bool reply_continue(struct reply *reply, struct buffer *out);

/* Zero again, ready for the next. */
void reply_empty(struct reply *reply);
void reply_clear(struct reply *reply);

#endif
