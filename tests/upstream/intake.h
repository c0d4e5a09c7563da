/* The body of a request as it comes in: by length or in chunks, forgotten or kept.
 * It only says where the body ends; the bytes are the caller's. */
#ifndef INTAKE_H
#define INTAKE_H

#include "buffer.h"
#include "request.h"

#include <sys/types.h>

enum { INTAKE_KEPT_MOST = 16 * 1024 * 1024 };

enum intake_stage {
    INTAKE_DONE,
    INTAKE_LENGTH,    /* `left` bytes by Content-Length */
    INTAKE_SIZE,      /* in the line with a chunk's size */
    INTAKE_EXTENSION, /* behind the size, until the line ends */
    INTAKE_CHUNK,     /* `left` bytes of a chunk */
    INTAKE_CHUNK_END, /* the line end behind a chunk */
    INTAKE_TRAILER,   /* after the last chunk, until an empty line */
};

struct intake {
    enum intake_stage stage;
    uint64_t left;
    unsigned width;  /* digits or bytes of the present line */
    bool keeps;      /* for echo=body */
    bool overflowed; /* more came than INTAKE_KEPT_MOST */
};

void intake_start(struct intake *intake, const struct request *request, bool keeps);

/* Takes what belongs to the body from the front of bytes, adding it to `kept` if it keeps. Returns how
 * many bytes it used, which ends early once the stage is INTAKE_DONE, or -EPROTO for bad chunks. */
ssize_t intake_eat(struct intake *intake, const char *bytes, size_t length, struct buffer *kept);

#endif
