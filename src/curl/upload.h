/*
 * A request body that comes from the program's read function, so that it can be sent again: what the
 * program hands over is kept up to a bound; past it the program's own seek function must take it back.
 */
#ifndef GUSSET_CURL_UPLOAD_H
#define GUSSET_CURL_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>

enum { UPLOAD_KEPT_MAX = 1024 * 1024 };

struct call;

struct upload {
    bool is_dressed; /* our reader stands in for the program's */
    bool was_read;   /* the program's reader has been called */
    bool at_end;     /* it said that there is no more; it is not asked again */
    bool is_rewound; /* the program's seek function has taken it back to the start, and it was not read since
                      */
    bool overflown;  /* it handed over more than is kept */
    size_t kept;     /* bytes of it in buffer, from the start */
    size_t position; /* next of them to hand to libcurl */
    size_t room;
    char *buffer;
};

/* A call begins: nothing has been read. */
void upload_call(struct call *call);

/*
 * An attempt begins: stands in for the program's reader where there is a body to read, and starts over.
 * Returns false when the body cannot be sent from its start any more; then it must not be sent at all.
 */
bool upload_attempt(struct call *call);

/* Whether all of the body could be sent once more. May call the program's seek function. */
bool upload_can_replay(struct call *call);

/* Whether sending may take long, so that the wait for a reply cannot be counted from the start. */
bool upload_is_long(const struct call *call);

/* Whether libcurl says that all of the body has been sent. */
bool upload_is_sent(const struct call *call);

/* Puts the program's own functions back. */
void upload_restore(struct call *call);

/* The handle has gone that wore it. */
void upload_retire(struct upload *upload);

void upload_clear(struct upload *upload);

#endif
