#include "tool/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "tool/address.h"
#include "tool/head.h"

enum { HEAD_MOST = 8192, ASK_MS = 5000, ANSWER_MS = 10000, LEAVE_MS = 1000, REST_MS = 1000 };

/* Reading the request, writing the reply, waiting for the client to close: or unread bytes would reset the
 * reply. */
enum phase { FREE, ASKING, ANSWERING, LEAVING };

struct serve_connection {
    enum phase phase;
    int descriptor;
    uint64_t until_ms;
    char head[HEAD_MOST + 1];
    size_t length;
    char *reply; /* heap */
    size_t reply_length, sent;
};

/* ---- a request ---- */

/* A page for what is wrong, or for "/" where nobody has it, says what there is. */
static const struct serve_page signpost = {"/", "text/plain; charset=utf-8", NULL};

static const struct serve_page *find_page(const struct serve *serve, const char *path)
{
    const struct serve_page *page = serve->pages;

    while (page->path && strcmp(page->path, path) != 0)
        page++;
    return page->path ? page : strcmp(path, signpost.path) == 0 ? &signpost : NULL;
}

/* What the head of a request earns. */
struct verdict {
    const struct serve_page *page; /* NULL: none, the status says why */
    int status;
    bool is_head; /* the reply's body is not wanted */
};

/* The status; 200 where the page is found. */
static int judge(const struct serve *serve, const char *text, struct verdict *verdict)
{
    struct head head = {.is_head = false};
    int status = head_read(&head, text, serve->is_local);

    verdict->is_head = head.is_head;
    if (status == 200)
        verdict->page = find_page(serve, head.path);
    return status == 200 && !verdict->page ? 404 : status;
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"                             },
        {400, "Bad Request"                    },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {408, "Request Timeout"                },
        {421, "Misdirected Request"            },
        {431, "Request Header Fields Too Large"},
        {503, "Service Unavailable"            },
        {505, "HTTP Version Not Supported"     }
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Error";
}

/* The body, on the heap; NULL where there is no memory. A page may change the status. */
static char *body_of(const struct serve *serve, struct verdict *verdict, size_t *length)
{
    char *body = NULL;
    FILE *to = open_memstream(&body, length);

    if (!to)
        return NULL;
    if (verdict->page && verdict->page->write) {
        verdict->status = verdict->page->write(serve->context, to);
    } else {
        if (verdict->page)
            fputs("gusset:", to);
        else
            fprintf(to, "%d %s; %sthere is", verdict->status, reason_of(verdict->status),
                    verdict->status == 421
                        ? "only localhost and addresses in numbers are names of this machine; "
                        : "");
        for (const struct serve_page *page = serve->pages; page->path; page++)
            fprintf(to, " GET %s%s", page->path, page[1].path ? "," : "\n");
    }
    if (fclose(to) == 0)
        return body;
    free(body);
    return NULL;
}

static void close_connection(struct serve_connection *connection)
{
    close(connection->descriptor);
    free(connection->reply);
    connection->reply = NULL;
    connection->phase = FREE;
}

/* What is shown holds names that others chose: no script runs, nothing is fetched. Nor is it another page's
 * to show. */
#define HEADERS                                                                                              \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                                         \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                                          \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"

static void answer(const struct serve *serve, struct serve_connection *connection, struct verdict verdict)
{
    size_t length = 0;
    char *body = body_of(serve, &verdict, &length);
    FILE *to = body ? open_memstream(&connection->reply, &connection->reply_length) : NULL;

    if (!to) {
        free(body);
        close_connection(connection);
        return;
    }
    fprintf(to,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n" HEADERS
            "%sConnection: close\r\n\r\n",
            verdict.status, reason_of(verdict.status), verdict.page ? verdict.page->type : signpost.type,
            length, verdict.status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (!verdict.is_head)
        fwrite(body, 1, length, to);
    free(body);
    if (fclose(to) != 0) {
        close_connection(connection);
        return;
    }
    connection->sent = 0;
    connection->phase = ANSWERING;
    connection->until_ms = clock_now_us() / 1000 + ANSWER_MS;
}

static void refuse(const struct serve *serve, struct serve_connection *connection, int status)
{
    answer(serve, connection, (struct verdict){.status = status});
}

/* ---- a connection ---- */

static void ask(const struct serve *serve, struct serve_connection *connection)
{
    ssize_t got =
        read(connection->descriptor, connection->head + connection->length, HEAD_MOST - connection->length);
    struct verdict verdict = {0};

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
        verdict.status = judge(serve, connection->head, &verdict);
        answer(serve, connection, verdict);
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
    shutdown(connection->descriptor, SHUT_WR);
    connection->phase = LEAVING;
    connection->until_ms = clock_now_us() / 1000 + LEAVE_MS;
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
    if (connection->phase == FREE || now_ms < connection->until_ms)
        return;
    if (connection->phase == ASKING && connection->length)
        refuse(serve, connection, 408);
    else
        close_connection(connection);
}

/*
 * A free place; else that of who has been asking longest: who connects and says nothing holds up nobody,
 * while a collector says all it has to say at once. NULL: replies are under way on all.
 */
static struct serve_connection *take_place(const struct serve *serve)
{
    struct serve_connection *slowest = NULL;

    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        struct serve_connection *connection = &serve->connections[i];
        if (connection->phase == FREE)
            return connection;
        if (connection->phase != ANSWERING && (!slowest || connection->until_ms < slowest->until_ms))
            slowest = connection;
    }
    if (slowest)
        close_connection(slowest);
    return slowest;
}

/* Where there is no descriptor left the connection stays in the queue, and the listener readable. */
static void accept_one(struct serve *serve)
{
    int descriptor = accept4(serve->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (descriptor < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            serve->rests_until_ms = clock_now_us() / 1000 + REST_MS;
        return;
    }
    struct serve_connection *connection = take_place(serve);
    if (!connection) { /* the listener was waited for when there was one */
        close(descriptor);
        return;
    }
    connection->phase = ASKING;
    connection->descriptor = descriptor;
    connection->length = 0;
    connection->until_ms = clock_now_us() / 1000 + ASK_MS;
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

/* The listener comes last, and waits itself where replies are under way on all places. */
void serve_prepare(const struct serve *serve, struct pollfd polled[SERVE_POLLED])
{
    bool has_room = false, rests = clock_now_us() / 1000 < serve->rests_until_ms;

    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        const struct serve_connection *connection = &serve->connections[i];
        bool is_answering = connection->phase == ANSWERING;
        polled[i] = (struct pollfd){.fd = connection->phase == FREE ? -1 : connection->descriptor,
                                    .events = is_answering ? POLLOUT : POLLIN};
        has_room = has_room || !is_answering;
    }
    polled[SERVE_CONNECTIONS] =
        (struct pollfd){.fd = has_room && !rests ? serve->listener : -1, .events = POLLIN};
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
