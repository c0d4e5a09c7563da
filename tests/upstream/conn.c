#include "conn.h"

#include "intake.h"
#include "stream.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    CONN_READ_HEAD = 4 * 1024,
    CONN_READ_BODY = 64 * 1024,
    CONN_FILL = 32 * 1024, /* of a body, per send() */
    CONN_TURNS = 64,       /* steps before others get theirs */
    CONN_LINGER_MS = 2000, /* for the client's FIN */
    CONN_DRAIN_MS = 10000, /* for the client's ACK of what precedes an RST */
    CONN_DRAIN_POLL_MS = 1,
};

enum conn_phase {
    CONN_HEAD,  /* until the empty line */
    CONN_BODY,  /* of the request */
    CONN_DELAY, /* before the reply */
    CONN_SEND,
    CONN_DRAIN, /* before RST */
    CONN_STALL,
    CONN_LINGER, /* FIN sent, waiting for the client's */
};

struct conn {
    struct watcher watcher; /* first: the loop knows it by this */
    struct timer timer;
    struct conn_group *group;
    struct conn *next, **previous;
    struct stream stream; /* closed: to be released after the round */
    enum conn_phase phase;
    uint64_t wake_ns;
    size_t scanned;         /* of the head that is coming in */
    struct request request; /* its spans are valid only while answer() runs */
    struct intake intake;
    struct reply reply;
};

static void conn_close(struct conn *c, bool reset)
{
    if (c->stream.fd < 0)
        return;
    stream_close(&c->stream, reset);
    timer_cancel(&c->group->loop->timers, &c->timer);
    *c->previous = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->group->live--;
    loop_bury(c->group->loop, &c->watcher);
}

static void wake_at(struct conn *c, uint64_t due_ns)
{
    c->wake_ns = due_ns;
    timer_set(&c->group->loop->timers, &c->timer, due_ns);
}

static void wake_in_ms(struct conn *c, uint64_t ms)
{
    wake_at(c, loop_now_ns() + ms * UINT64_C(1000000));
}

/* Not yet wake_ns? Then the timer is set, whatever it served meanwhile. */
static bool sleeps(struct conn *c)
{
    if (loop_now_ns() >= c->wake_ns)
        return false;
    if (c->timer.place == 0)
        timer_set(&c->group->loop->timers, &c->timer, c->wake_ns);
    return true;
}

/* May the step be repeated? If not, it waits, or the connection is gone. */
static bool moved(struct conn *c, enum stream_outcome outcome)
{
    if (outcome == STREAM_ENDED)
        conn_close(c, false);
    if (outcome == STREAM_PACED)
        wake_at(c, pace_next_ns(&c->stream.pace, loop_now_ns()));
    return outcome == STREAM_MOVED;
}

static bool receive(struct conn *c, size_t want)
{
    return moved(c, stream_receive(&c->stream, want));
}

static bool flush(struct conn *c)
{
    return moved(c, stream_flush(&c->stream, loop_now_ns()));
}

static void begin_body(struct conn *c)
{
    const struct request *request = &c->request;
    intake_start(&c->intake, request, c->reply.source == REPLY_FROM_UPLOAD);
    if (request->expects && request->minor > 0 && request_has_body(request))
        buffer_add_text(&c->stream.out, "HTTP/1.1 100 Continue\r\n\r\n");
    c->phase = CONN_BODY;
}

/* The stream can no longer be told apart into requests: answer, and end it. */
static void refuse(struct conn *c, unsigned status, const char *why)
{
    reply_say(&c->reply, status, why);
    c->request = (struct request){.minor = 1};
    c->phase = CONN_DELAY;
    c->wake_ns = 0;
}

/* Some clients send an empty line after a body: RFC 9112 2.2. */
static void skip_empty_lines(struct buffer *in)
{
    while (buffer_length(in) && (*buffer_front(in) == '\r' || *buffer_front(in) == '\n'))
        buffer_drop(in, 1);
}

static bool step_head(struct conn *c)
{
    skip_empty_lines(&c->stream.in);
    size_t have = buffer_length(&c->stream.in);
    size_t length = have ? request_head_length(buffer_front(&c->stream.in), have, &c->scanned) : 0;
    if (length == 0 && have < REQUEST_HEAD_MOST)
        return receive(c, CONN_READ_HEAD);
    if (length == 0 || length > REQUEST_HEAD_MOST) {
        refuse(c, 431, "the request's head is longer than 64 KB");
        return true;
    }
    const char *wrong = request_parse(&c->request, buffer_front(&c->stream.in), length);
    if (wrong) {
        refuse(c, 400, wrong);
        return true;
    }
    c->group->answer(c->group->world, &c->request, &c->reply);
    buffer_drop(&c->stream.in, length);
    request_forget(&c->request);
    begin_body(c);
    return true;
}

static void begin_delay(struct conn *c)
{
    if (c->intake.overflowed)
        reply_say(&c->reply, 413, "echo=body keeps at most 16 MB");
    if (c->reply.early)
        buffer_add_text(&c->stream.out, "HTTP/1.1 103 Early Hints\r\n"
                                        "Link: </style.css>; rel=preload; as=style\r\n\r\n");
    if (buffer_length(&c->stream.in) == 0) /* else pipelined */
        buffer_empty(&c->stream.in);
    c->phase = CONN_DELAY;
    c->wake_ns = 0;
    if (c->reply.delay_ms)
        wake_in_ms(c, c->reply.delay_ms);
}

static bool step_body(struct conn *c)
{
    if (buffer_length(&c->stream.out))
        return flush(c);
    size_t have = buffer_length(&c->stream.in);
    ssize_t used = 0;
    if (have)
        used = intake_eat(&c->intake, buffer_front(&c->stream.in), have, &c->reply.body);
    if (used < 0) {
        refuse(c, 400, "bad chunks in the request's body");
        return true;
    }
    buffer_drop(&c->stream.in, (size_t)used);
    if (c->intake.stage != INTAKE_DONE)
        return receive(c, CONN_READ_BODY);
    begin_delay(c);
    return true;
}

static void begin_linger(struct conn *c)
{
    /* close() with unread bytes would send RST and may destroy what the client has not read yet. */
    shutdown(c->stream.fd, SHUT_WR);
    wake_in_ms(c, CONN_LINGER_MS);
    c->phase = CONN_LINGER;
}

static void begin_next(struct conn *c)
{
    reply_empty(&c->reply);
    buffer_empty(&c->stream.out);
    c->stream.pace = (struct pace){0};
    c->phase = CONN_HEAD;
}

/* All that shall be sent is sent. */
static void end_reply(struct conn *c)
{
    switch (c->reply.fault) {
    case REPLY_NO_FAULT:
        if (c->reply.closes)
            begin_linger(c);
        else
            begin_next(c);
        break;
    case REPLY_CLOSE:
        begin_linger(c);
        break;
    case REPLY_RESET:
        c->phase = CONN_DRAIN;
        wake_in_ms(c, CONN_DRAIN_MS);
        break;
    case REPLY_STALL:
        c->phase = CONN_STALL;
        wake_in_ms(c, c->reply.stall_ms);
        break;
    }
}

static bool step_delay(struct conn *c)
{
    if (c->stream.broken) {
        conn_close(c, false);
        return false;
    }
    if (buffer_length(&c->stream.out))
        return flush(c);
    if (sleeps(c))
        return false;
    if (c->reply.fault != REPLY_NO_FAULT && c->reply.cut == REPLY_BEFORE_HEAD) {
        end_reply(c);
        return true;
    }
    reply_begin(&c->reply, &c->request, &c->stream.out);
    c->stream.unpaced = buffer_length(&c->stream.out);
    c->stream.pace = (struct pace){c->reply.bytes_per_second, loop_now_ns(), 0};
    c->phase = CONN_SEND;
    return true;
}

static bool step_send(struct conn *c)
{
    while (buffer_length(&c->stream.out) < CONN_FILL && reply_continue(&c->reply, &c->stream.out))
        ;
    if (buffer_length(&c->stream.out))
        return flush(c);
    end_reply(c);
    return true;
}

/* An RST overtakes bytes that the client has not acknowledged. */
static bool step_drain(struct conn *c)
{
    if (!stream_is_drained(&c->stream) && !c->stream.broken && sleeps(c)) {
        uint64_t poll_ns = loop_now_ns() + CONN_DRAIN_POLL_MS * UINT64_C(1000000);
        timer_set(&c->group->loop->timers, &c->timer, poll_ns);
        return false;
    }
    conn_close(c, true);
    return false;
}

static bool step_stall(struct conn *c)
{
    if (c->stream.broken || c->stream.peer_done) {
        conn_close(c, false);
        return false;
    }
    if (sleeps(c))
        return false;
    begin_linger(c);
    return true;
}

static bool step_linger(struct conn *c)
{
    if (c->stream.broken || !sleeps(c)) {
        conn_close(c, false);
        return false;
    }
    buffer_empty(&c->stream.in);
    return receive(c, CONN_READ_HEAD);
}

static bool (*const steps[])(struct conn *c) = {
    [CONN_HEAD] = step_head,     [CONN_BODY] = step_body,   [CONN_DELAY] = step_delay,
    [CONN_SEND] = step_send,     [CONN_DRAIN] = step_drain, [CONN_STALL] = step_stall,
    [CONN_LINGER] = step_linger,
};

/* A step says whether another may follow at once. */
static void advance(struct conn *c)
{
    for (unsigned turn = 0; turn < CONN_TURNS; turn++)
        if (c->stream.fd < 0 || !steps[c->phase](c))
            return;
    if (c->stream.fd >= 0)
        timer_set(&c->group->loop->timers, &c->timer, loop_now_ns() + 1);
}

static void on_ready(struct watcher *watcher, uint32_t events)
{
    struct conn *c = (struct conn *)watcher;
    if (c->stream.fd < 0)
        return;
    stream_note(&c->stream, events);
    advance(c);
}

static void on_time(struct timer *timer)
{
    struct conn *c = (struct conn *)((char *)timer - offsetof(struct conn, timer));
    advance(c);
}

static void release(struct watcher *watcher)
{
    struct conn *c = (struct conn *)watcher;
    stream_clear(&c->stream);
    reply_clear(&c->reply);
    free(c);
}

void conn_open(struct conn_group *group, int fd)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        stream_reset_fd(fd);
        return;
    }
    c->watcher = (struct watcher){.ready = on_ready, .release = release};
    c->timer.fire = on_time;
    c->group = group;
    c->stream.fd = fd;
    c->next = group->first;
    c->previous = &group->first;
    if (c->next)
        c->next->previous = &c->next;
    group->first = c;
    group->live++;
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    if (loop_watch(group->loop, &c->watcher, fd, events) < 0)
        conn_close(c, true);
}

void conn_reset_all(struct conn_group *group)
{
    while (group->first)
        conn_close(group->first, true);
}
