/* The event loop: edge-triggered epoll, deadlines, and the burial of what died in a round.
 * One thread; everything else is called from here. */
#ifndef LOOP_H
#define LOOP_H

#include "timer.h"

#include <stdbool.h>
#include <stdint.h>

/* The first member of whatever waits for a descriptor. */
struct watcher {
    void (*ready)(struct watcher *watcher, uint32_t epoll_events);
    void (*release)(struct watcher *watcher); /* frees it, once no event can name it */
    struct watcher *next_dead;
};

struct loop {
    int epoll_fd;
    bool over; /* set to leave loop_run() */
    struct timers timers;
    struct watcher *dead;
};

uint64_t loop_now_ns(void); /* CLOCK_MONOTONIC */

/* 0 or -errno. */
int loop_open(struct loop *loop);
int loop_watch(struct loop *loop, struct watcher *watcher, int fd, uint32_t epoll_events);

/* Releases the watcher after the round: the events of one epoll_wait() may name it again. */
void loop_bury(struct loop *loop, struct watcher *watcher);

/* Runs until `over`; 0 or -errno. */
int loop_run(struct loop *loop);
void loop_close(struct loop *loop);

#endif
