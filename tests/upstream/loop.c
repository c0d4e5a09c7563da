#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { LOOP_BATCH = 256 };

uint64_t loop_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int loop_open(struct loop *loop)
{
    *loop = (struct loop){0};
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd < 0 ? -errno : 0;
}

int loop_watch(struct loop *loop, struct watcher *watcher, int fd, uint32_t epoll_events)
{
    struct epoll_event event = {.events = epoll_events, .data.ptr = watcher};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void loop_bury(struct loop *loop, struct watcher *watcher)
{
    watcher->next_dead = loop->dead;
    loop->dead = watcher;
}

static void release_the_dead(struct loop *loop)
{
    while (loop->dead) {
        struct watcher *watcher = loop->dead;
        loop->dead = watcher->next_dead;
        watcher->release(watcher);
    }
}

int loop_run(struct loop *loop)
{
    struct epoll_event events[LOOP_BATCH];
    while (!loop->over) {
        int wait_ms = timer_wait_ms(&loop->timers, loop_now_ns());
        int count = epoll_wait(loop->epoll_fd, events, LOOP_BATCH, wait_ms);
        if (count < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < count; i++) {
            struct watcher *watcher = events[i].data.ptr;
            watcher->ready(watcher, events[i].events);
        }
        timer_fire_due(&loop->timers, loop_now_ns());
        release_the_dead(loop);
    }
    return 0;
}

void loop_close(struct loop *loop)
{
    release_the_dead(loop);
    timer_clear(&loop->timers);
    close(loop->epoll_fd);
}
