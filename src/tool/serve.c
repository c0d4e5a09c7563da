#include "tool/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "tool/address.h"
#include "tool/respond.h"

enum {
    HEAD_MOST = 8192,
    REST_MS = 1000,
    HELD_MOST = 32 << 20 /* bytes of replies that are under way: none is begun beyond */
};

/* Reading the request, writing the reply, waiting for the client to close: or unread bytes would reset the
 * reply. */
enum phase { FREE, ASKING, ANSWERING, LEAVING };

struct serve_connection {
    enum phase phase;
    int descriptor;
    uint64_t since_ms; /* monotonic, of the phase */
    char head[HEAD_MOST + 1];
    size_t length;
    char *reply; /* heap */
    size_t reply_length, sent;
};

/* How long a phase may last, and how long where others want the place. */
static const struct {
    uint32_t most_ms, crowded_ms;
} lasts[] = {
    [ASKING] = {5000,  250 },
      [ANSWERING] = {10000, 1000},
      [LEAVING] = {1000,  250 }
};

static void enter(struct serve_connection *connection, enum phase phase)
{
    connection->phase = phase;
    connection->since_ms = clock_now_us() / 1000;
}

/* ---- places ---- */

static void drop_reply(struct serve_connection *connection)
{
    free(connection->reply);
    connection->reply = NULL;
    connection->reply_length = 0;
}

static void close_connection(struct serve_connection *connection)
{
    close(connection->descriptor);
    drop_reply(connection);
    connection->phase = FREE;
}

/* Who has been in his phase for longest, and too long where others wait; of those that hold bytes, or of all.
 */
static struct serve_connection *find_slowest(const struct serve *serve, bool holds)
{
    uint64_t now_ms = clock_now_us() / 1000, longest_ms = 0;
    struct serve_connection *slowest = NULL;

    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        struct serve_connection *connection = &serve->connections[i];
        uint64_t ms = now_ms - connection->since_ms;
        if (connection->phase == FREE || (holds && connection->reply_length == 0) ||
            ms < lasts[connection->phase].crowded_ms || ms <= longest_ms)
            continue;
        slowest = connection;
        longest_ms = ms;
    }
    return slowest;
}

/* Who connects and says nothing, or takes nothing, holds up nobody. NULL: they are all quick enough. */
static struct serve_connection *find_place(const struct serve *serve)
{
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        if (serve->connections[i].phase == FREE)
            return &serve->connections[i];
    return find_slowest(serve, false);
}

/* Whether replies that clients have yet to take fill the memory that is meant for them. */
static bool is_full(const struct serve *serve)
{
    struct serve_connection *slowest = NULL;
    size_t held;

    do {
        if (slowest)
            close_connection(slowest);
        held = 0;
        for (int i = 0; i < SERVE_CONNECTIONS; i++)
            held += serve->connections[i].reply_length;
    } while (held >= HELD_MOST && (slowest = find_slowest(serve, true)));
    return held >= HELD_MOST;
}

/* ---- a connection ---- */

/* reply is taken over. */
static void answer(struct serve_connection *connection, char *reply)
{
    if (!reply) {
        close_connection(connection);
        return;
    }
    connection->reply = reply;
    connection->sent = 0;
    enter(connection, ANSWERING);
}

static void refuse(const struct serve *serve, struct serve_connection *connection, int status)
{
    answer(connection, respond_with(serve, status, &connection->reply_length));
}

static void ask(const struct serve *serve, struct serve_connection *connection)
{
    ssize_t got =
        read(connection->descriptor, connection->head + connection->length, HEAD_MOST - connection->length);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close_connection(connection);
        return;
    }
    connection->length += (size_t)got;
    connection->head[connection->length] = '\0';
    if (strlen(connection->head) < connection->length) {
        refuse(serve, connection, 400); /* a NUL */
    } else if (strstr(connection->head, "\r\n\r\n")) {
        answer(connection, respond_to(serve, connection->head, is_full(serve), &connection->reply_length));
    } else if (connection->length == HEAD_MOST) {
        refuse(serve, connection, 431);
    }
}

static void send_more(struct serve_connection *connection)
{
    ssize_t put = send(connection->descriptor, connection->reply + connection->sent,
                       connection->reply_length - connection->sent, MSG_NOSIGNAL);

    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (put < 0) {
        close_connection(connection);
        return;
    }
    connection->sent += (size_t)put;
    if (connection->sent < connection->reply_length)
        return;
    drop_reply(connection);
    shutdown(connection->descriptor, SHUT_WR);
    enter(connection, LEAVING);
}

static void leave(struct serve_connection *connection)
{
    char rest[4096];
    ssize_t got = read(connection->descriptor, rest, sizeof rest);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_connection(connection);
}

static void go_on(const struct serve *serve, struct serve_connection *connection)
{
    switch (connection->phase) {
    case ASKING:
        ask(serve, connection);
        return;
    case ANSWERING:
        send_more(connection);
        return;
    case LEAVING:
        leave(connection);
        return;
    case FREE:
        return;
    }
}

static void expire(const struct serve *serve, struct serve_connection *connection, uint64_t now_ms)
{
    if (connection->phase == FREE || now_ms - connection->since_ms < lasts[connection->phase].most_ms)
        return;
    if (connection->phase == ASKING && connection->length)
        refuse(serve, connection, 408);
    else
        close_connection(connection);
}

/* Where there is no descriptor left the connection stays in the queue, and the listener readable. */
static void accept_one(struct serve *serve)
{
    struct serve_connection *connection = find_place(serve);
    int descriptor = connection ? accept4(serve->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;

    if (!connection)
        return; /* who was slow has gone on meanwhile */
    if (descriptor < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            serve->rests_until_ms = clock_now_us() / 1000 + REST_MS;
        return;
    }
    if (connection->phase != FREE)
        close_connection(connection);
    enter(connection, ASKING);
    connection->descriptor = descriptor;
    connection->length = 0;
}

/* ---- the loop ---- */

const char *serve_open(struct serve *serve, const char *where)
{
    const char *fault = listen_open(where, &serve->listener, serve->address);
    struct address own;

    if (fault)
        return fault;
    serve->is_local = !address_parse(&own, serve->address) && place_is_loopback(&own.place);
    serve->connections = calloc(SERVE_CONNECTIONS, sizeof *serve->connections);
    if (serve->connections)
        return NULL;
    close(serve->listener);
    return strerror(ENOMEM);
}

void serve_close(struct serve *serve)
{
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        if (serve->connections[i].phase != FREE)
            close_connection(&serve->connections[i]);
    free(serve->connections);
    close(serve->listener);
}

/* The listener comes last, and waits itself where all places are taken. */
void serve_prepare(const struct serve *serve, struct pollfd polled[SERVE_POLLED])
{
    bool rests = clock_now_us() / 1000 < serve->rests_until_ms;

    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        const struct serve_connection *connection = &serve->connections[i];
        polled[i] = (struct pollfd){.fd = connection->phase == FREE ? -1 : connection->descriptor,
                                    .events = connection->phase == ANSWERING ? POLLOUT : POLLIN};
    }
    polled[SERVE_CONNECTIONS] =
        (struct pollfd){.fd = !rests && find_place(serve) ? serve->listener : -1, .events = POLLIN};
}

void serve_continue(struct serve *serve, const struct pollfd polled[SERVE_POLLED])
{
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        if (polled[i].revents)
            go_on(serve, &serve->connections[i]);
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        expire(serve, &serve->connections[i], clock_now_us() / 1000);
    if (polled[SERVE_CONNECTIONS].revents)
        accept_one(serve);
}

static volatile sig_atomic_t is_over;

static void end(int signal)
{
    (void)signal;
    is_over = 1;
}

/* Signals come only while ppoll waits. */
static void take_signals(sigset_t *meanwhile)
{
    struct sigaction action = {.sa_handler = end};
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, meanwhile);
    sigdelset(meanwhile, SIGINT);
    sigdelset(meanwhile, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int serve_run(struct serve *serve)
{
    struct pollfd polled[SERVE_POLLED];
    const struct timespec second = {.tv_sec = 1};
    sigset_t meanwhile;
    int result = 0;

    take_signals(&meanwhile);
    while (!is_over) {
        serve_prepare(serve, polled);
        if (ppoll(polled, SERVE_POLLED, &second, &meanwhile) >= 0) {
            serve_continue(serve, polled);
        } else if (errno != EINTR) {
            result = -errno;
            break;
        }
    }
    serve_close(serve);
    return result;
}
