/*
 * The last good reply to each GET that may be kept (curl/keepable), for the time when its host is down
 * (`stale`). A file holds a small header, the head without what belongs to a connection, and the body.
 */
#ifndef GUSSET_CURL_KEEP_H
#define GUSSET_CURL_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curl/keepable.h"
#include "gate/shelf.h"

enum { KEEP_MORE = 256 /* fields that are added when it is given */ };

struct call;

/* Of a call whose reply may be kept. */
struct keep {
    bool is_on; /* the reply is being written */
    int file;
    uint64_t size; /* of it so far */
    uint64_t head; /* of that what is before the body */
    uint64_t most; /* that it may have: the rule's word, and RLIMIT_FSIZE */
    struct shelf shelf;
    char name[SHELF_NAME_ROOM];
    char draft[SHELF_DRAFT_ROOM];
};

/* A kept reply, opened to be given. */
struct keep_found {
    int file;
    uint32_t age_s;
    uint64_t body_offset; /* in the file, to its end */
    uint64_t body_length;
    size_t head_length;
    char head[KEEPABLE_HEAD_MAX + KEEP_MORE]; /* the status line and fields, without the blank line */
};

/* A call's first attempt begins. */
void keep_call(struct call *call);

/* The reply has begun to reach the program, its head is held; then so many bytes of its body. */
void keep_head(struct call *call);
void keep_body(struct call *call, const char *bytes, size_t size);

/* It is whole, or broke off. */
void keep_end(struct call *call, bool is_whole);

void keep_free(struct call *call);

/* Whether there is a reply for the call that is young enough. */
bool keep_is_there(const struct call *call);

/* The same, and opens it; the caller closes its file. */
bool keep_find(const struct call *call, struct keep_found *found);

#endif
