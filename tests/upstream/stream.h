/* A connected socket with what came in and what shall go out, at the pace that the reply asks for.
 * Edge-triggered: it remembers what the events said. */
#ifndef STREAM_H
#define STREAM_H

#include "buffer.h"
#include "pace.h"

#include <stdbool.h>

enum stream_outcome {
    STREAM_MOVED, /* bytes came or went: try again */
    STREAM_WAITS, /* an event will tell when it goes on */
    STREAM_PACED, /* the pace's next step will */
    STREAM_ENDED, /* FIN, RST or an error: close it */
};

struct stream {
    int fd;         /* -1: closed */
    bool readable;  /* since the last event, no recv() came back short */
    bool peer_done; /* FIN seen */
    bool broken;    /* RST seen, or both sides done */
    size_t unpaced; /* head bytes at the front of out, which go at once */
    struct pace pace;
    struct buffer in;
    struct buffer out;
};

/* What epoll reported for it. */
void stream_note(struct stream *stream, uint32_t epoll_events);

/* Reads into `in` once, at least `want` bytes if there are as many. */
enum stream_outcome stream_receive(struct stream *stream, size_t want);

/* Writes from `out`, which is not empty, once. */
enum stream_outcome stream_flush(struct stream *stream, uint64_t now_ns);

/* Did the peer acknowledge all that was written? */
bool stream_is_drained(const struct stream *stream);

/* Closes the socket; with RST, dropping unsent bytes, if `reset`. */
void stream_close(struct stream *stream, bool reset);

/* Frees the buffers. */
void stream_clear(struct stream *stream);

/* The same for a bare socket. */
void stream_reset_fd(int fd);

#endif
