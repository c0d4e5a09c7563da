/*
 * Four ways in which programs drive a multi handle, one turn at a time: "poll" (curl -Z), "wait" (R), "fdset"
 * with timeout (git, pycurl) and "socket" (socket_action, epoll and a timer: ostree). A turn waits as such
 * programs do, and no longer than 1 s. What a program may rely on is checked at each turn: see loop_faults.
 */
#ifndef LOOPS_H
#define LOOPS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

struct loop {
    CURLM *multi;
    void (*step)(struct loop *loop); /* lets libcurl work */
    void (*rest)(struct loop *loop); /* waits, after the messages were read; NULL: step does */
    int epoll;                       /* -1 where the way has none */
    double timer_ms;                 /* when TIMERFUNCTION wants to be heard; negative: never */
    int empty;                       /* curl_multi_wait: turns in a row without a descriptor */
    int running;                     /* as libcurl said last */
    bool asked;                      /* and it was asked in this turn */
    int open;                        /* handles added whose message was not seen */
    long turns;
    int faults; /* running was not what the program has open, or a call failed */
};

static inline double loop_now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static inline void loop_nap_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static inline void loop_expect(struct loop *loop, CURLMcode code, const char *call)
{
    if (code == CURLM_OK)
        return;
    loop->faults++;
    printf("%s: %d %s\n", call, (int)code, curl_multi_strerror(code));
}

static inline void loop_perform(struct loop *loop)
{
    loop_expect(loop, curl_multi_perform(loop->multi, &loop->running), "perform");
    loop->asked = true;
}

static inline void loop_rest_by_poll(struct loop *loop)
{
    loop_expect(loop, curl_multi_poll(loop->multi, NULL, 0, 1000, NULL), "poll");
}

/* curl_multi_wait comes back at once where there is nothing to wait for: its page says to sleep then. */
static inline void loop_rest_by_wait(struct loop *loop)
{
    int count = 0;

    loop_expect(loop, curl_multi_wait(loop->multi, NULL, 0, 1000, &count), "wait");
    loop->empty = count ? 0 : loop->empty + 1;
    if (loop->empty > 1)
        loop_nap_ms(10);
}

static inline void loop_rest_by_fdset(struct loop *loop)
{
    fd_set in, out, odd;
    int highest = -1;
    long ms = -1;

    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&odd);
    loop_expect(loop, curl_multi_fdset(loop->multi, &in, &out, &odd, &highest), "fdset");
    loop_expect(loop, curl_multi_timeout(loop->multi, &ms), "timeout");
    if (ms < 0 || ms > 1000)
        ms = 1000;
    if (highest < 0 && ms > 100) /* as the page of curl_multi_fdset says */
        ms = 100;
    struct timeval time = {ms / 1000, ms % 1000 * 1000};
    select(highest + 1, &in, &out, &odd, &time);
}

static inline void loop_act(struct loop *loop, curl_socket_t fd, int mask)
{
    loop_expect(loop, curl_multi_socket_action(loop->multi, fd, mask, &loop->running), "socket_action");
    loop->asked = true;
}

static inline void loop_step_by_socket(struct loop *loop)
{
    struct epoll_event events[64];
    double left = loop->timer_ms < 0 ? 1000 : loop->timer_ms - loop_now_ms();
    int wait_ms = left <= 0 ? 0 : left > 1000 ? 1000 : (int)left + 1;
    int count = epoll_wait(loop->epoll, events, 64, wait_ms);

    for (int i = 0; i < count; i++) {
        int mask = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        loop_act(loop, events[i].data.fd, mask);
    }
    if (loop->timer_ms >= 0 && loop->timer_ms <= loop_now_ms()) {
        loop->timer_ms = -1; /* it fires once; libcurl says when it wants it again */
        loop_act(loop, CURL_SOCKET_TIMEOUT, 0);
    }
}

static inline int loop_on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct loop *loop = data;
    struct epoll_event event = {.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
                                          (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
                                .data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event))
        epoll_ctl(loop->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    curl_multi_assign(loop->multi, fd, what == CURL_POLL_REMOVE ? NULL : loop);
    return 0;
}

static inline int loop_on_timer(CURLM *multi, long ms, void *data)
{
    struct loop *loop = data;

    (void)multi;
    loop->timer_ms = ms < 0 ? -1 : loop_now_ms() + (double)ms;
    return 0;
}

/* A multi handle that is driven that way; false: there is no such way. */
static inline bool loop_open(struct loop *loop, const char *way)
{
    static const struct {
        const char *name;
        void (*step)(struct loop *loop);
        void (*rest)(struct loop *loop);
    } ways[] = {
        {"poll",   loop_perform,        loop_rest_by_poll },
        {"wait",   loop_perform,        loop_rest_by_wait },
        {"fdset",  loop_perform,        loop_rest_by_fdset},
        {"socket", loop_step_by_socket, NULL              },
    };

    *loop = (struct loop){.epoll = -1, .timer_ms = -1};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, way) == 0) {
            loop->step = ways[i].step;
            loop->rest = ways[i].rest;
        }
    if (!loop->step)
        return false;
    loop->multi = curl_multi_init();
    if (!loop->rest) {
        loop->epoll = epoll_create1(EPOLL_CLOEXEC);
        curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, loop_on_socket);
        curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
        curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, loop_on_timer);
        curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    }
    return true;
}

static inline void loop_close(struct loop *loop)
{
    loop_expect(loop, curl_multi_cleanup(loop->multi), "cleanup");
    if (loop->epoll >= 0)
        close(loop->epoll);
}

static inline void loop_add(struct loop *loop, CURL *easy)
{
    CURLMcode code = curl_multi_add_handle(loop->multi, easy);

    loop_expect(loop, code, "add");
    if (code == CURLM_OK)
        loop->open++;
}

/*
 * One turn; then each message is given to `done`, which may remove and add handles. False when nothing is
 * open. Between the turn and what `done` does, still-running and the messages must add up to what was added.
 */
static inline bool loop_turn(struct loop *loop,
                             void (*done)(struct loop *loop, CURL *easy, CURLcode code, void *data),
                             void *data)
{
    CURLMsg *message;
    int left = 0, ended = 0;
    struct {
        CURL *easy;
        CURLcode code;
    } list[256];

    loop->turns++;
    loop->asked = false;
    loop->step(loop);
    while (ended < 256 && (message = curl_multi_info_read(loop->multi, &left)))
        if (message->msg == CURLMSG_DONE) {
            list[ended].easy = message->easy_handle;
            list[ended++].code = message->data.result;
        }
    loop->open -= ended;
    if (loop->asked && loop->running != loop->open) {
        loop->faults++;
        printf("fault: %d said to be running, %d are\n", loop->running, loop->open);
    }
    for (int i = 0; i < ended; i++)
        done(loop, list[i].easy, list[i].code, data);
    if (loop->rest && loop->open > 0)
        loop->rest(loop);
    return loop->open > 0;
}

#endif
