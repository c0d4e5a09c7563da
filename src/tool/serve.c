#include "tool/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"

enum { CONNECTIONS = 16, HEAD_MOST = 8192, ASK_MS = 5000, ANSWER_MS = 10000, LEAVE_MS = 1000 };

/* Reading the request, writing the reply, waiting for the client to close: or unread bytes would reset the
 * reply. */
enum phase { FREE, ASKING, ANSWERING, LEAVING };

struct connection {
    enum phase phase;
    int descriptor;
    uint64_t until_ms;
    char head[HEAD_MOST + 1];
    size_t length;
    char *reply; /* heap */
    size_t reply_length, sent;
};

/* ---- listening ---- */

static bool read_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    *port = htons((in_port_t)number);
    return *text >= '0' && *text <= '9' && !*end && number <= 65535;
}

/* Splits at the last colon; what has none is a port. */
static const char *parse(const char *where, struct sockaddr_in6 *six, struct sockaddr_in *four)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;
    char host[SERVE_ADDRESS] = "127.0.0.1";

    if (length >= sizeof host || !read_port(colon ? colon + 1 : where, &four->sin_port))
        return "expected PORT, ADDRESS:PORT or [ADDRESS]:PORT, such as 127.0.0.1:9464";
    six->sin6_port = four->sin_port;
    if (length)
        snprintf(host, sizeof host, "%.*s", (int)length, where);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        six->sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1 ? NULL : "that is no IPv6 address";
    }
    four->sin_family = AF_INET;
    return inet_pton(AF_INET, host, &four->sin_addr) == 1
               ? NULL
               : "expected an address in numbers, such as 127.0.0.1";
}

static void tell_address(struct serve *serve)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    char text[INET6_ADDRSTRLEN] = "";

    getsockname(serve->listener, (struct sockaddr *)&bound, &length);
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&bound;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&bound;
    if (bound.ss_family == AF_INET6)
        snprintf(serve->address, sizeof serve->address, "[%s]:%u",
                 inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text), ntohs(six->sin6_port));
    else
        snprintf(serve->address, sizeof serve->address, "%s:%u",
                 inet_ntop(AF_INET, &four->sin_addr, text, sizeof text), ntohs(four->sin_port));
}

const char *serve_open(struct serve *serve, const char *where)
{
    struct sockaddr_in6 six = {0};
    struct sockaddr_in four = {0};
    const char *fault = parse(where, &six, &four);
    const int yes = 1;

    if (fault)
        return fault;
    bool is_six = six.sin6_family == AF_INET6;
    serve->listener = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (serve->listener < 0)
        return strerror(errno);
    setsockopt(serve->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const struct sockaddr *address = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    if (bind(serve->listener, address, is_six ? sizeof six : sizeof four) < 0 ||
        listen(serve->listener, CONNECTIONS) < 0) {
        int error = errno;
        close(serve->listener);
        return error == EADDRINUSE ? "somebody listens there already; port 0 takes a free one"
                                   : strerror(error);
    }
    tell_address(serve);
    return NULL;
}

/* ---- a request ---- */

static bool has_host(const char *head)
{
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, "host:", 5) == 0)
            return true;
    return false;
}

/* The status that the head earns: 200 for the page, 204 for "/" (which only points there). */
static int judge(const struct serve *serve, const char *head, bool *is_head)
{
    char method[16], target[1024], version[16];
    int end = 0;

    if (sscanf(head, "%15[A-Z] %1023[^ \r\n] %15[^ \r\n]%n", method, target, version, &end) != 3 ||
        strncmp(head + end, "\r\n", 2) != 0)
        return 400;
    *is_head = strcmp(method, "HEAD") == 0;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return strncmp(version, "HTTP/", 5) == 0 ? 505 : 400;
    if (version[7] == '1' && !has_host(head + end))
        return 400;
    if (!*is_head && strcmp(method, "GET") != 0)
        return 405;
    target[strcspn(target, "?")] = '\0';
    if (strcmp(target, "/") == 0)
        return 204;
    return strcmp(target, serve->path) == 0 ? 200 : 404;
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
        {431, "Request Header Fields Too Large"},
        {505, "HTTP Version Not Supported"     }
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Error";
}

/* The body, on the heap; NULL where there is no memory. */
static char *body_of(const struct serve *serve, int status, size_t *length)
{
    char *body = NULL;
    FILE *to = open_memstream(&body, length);

    if (!to)
        return NULL;
    if (status == 200)
        serve->write_page(serve->context, to);
    else if (status == 204)
        fprintf(to, "gusset: GET %s\n", serve->path);
    else
        fprintf(to, "%d %s; GET %s is what there is\n", status, reason_of(status), serve->path);
    if (fclose(to) == 0)
        return body;
    free(body);
    return NULL;
}

static void close_connection(struct connection *connection)
{
    close(connection->descriptor);
    free(connection->reply);
    connection->reply = NULL;
    connection->phase = FREE;
}

static void answer(const struct serve *serve, struct connection *connection, int status, bool is_head)
{
    size_t length = 0;
    char *body = body_of(serve, status, &length);
    FILE *to = body ? open_memstream(&connection->reply, &connection->reply_length) : NULL;

    if (!to) {
        free(body);
        close_connection(connection);
        return;
    }
    bool is_page = status == 200;
    if (status == 204)
        status = 200; /* "/" has a body after all */
    fprintf(to,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n%sConnection: close\r\n\r\n",
            status, reason_of(status), is_page ? serve->type : "text/plain; charset=utf-8", length,
            status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (!is_head)
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

/* ---- a connection ---- */

static void ask(const struct serve *serve, struct connection *connection)
{
    ssize_t got =
        read(connection->descriptor, connection->head + connection->length, HEAD_MOST - connection->length);
    bool is_head = false;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close_connection(connection);
        return;
    }
    connection->length += (size_t)got;
    connection->head[connection->length] = '\0';
    if (strlen(connection->head) < connection->length)
        answer(serve, connection, 400, false); /* a NUL */
    else if (strstr(connection->head, "\r\n\r\n"))
        answer(serve, connection, judge(serve, connection->head, &is_head), is_head);
    else if (connection->length == HEAD_MOST)
        answer(serve, connection, 431, false);
}

static void send_more(struct connection *connection)
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

static void leave(struct connection *connection)
{
    char rest[4096];
    ssize_t got = read(connection->descriptor, rest, sizeof rest);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_connection(connection);
}

static void go_on(const struct serve *serve, struct connection *connection)
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

static void expire(const struct serve *serve, struct connection *connection, uint64_t now_ms)
{
    if (connection->phase == FREE || now_ms < connection->until_ms)
        return;
    if (connection->phase == ASKING && connection->length)
        answer(serve, connection, 408, false);
    else
        close_connection(connection);
}

static void accept_into(const struct serve *serve, struct connection *connection)
{
    int descriptor = accept4(serve->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (descriptor < 0)
        return;
    connection->phase = ASKING;
    connection->descriptor = descriptor;
    connection->length = 0;
    connection->until_ms = clock_now_us() / 1000 + ASK_MS;
}

/* ---- the loop ---- */

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

/* Fills what is to be waited for; the listener comes last, and waits itself where all places are taken. */
static struct connection *prepare(const struct serve *serve, struct connection *connections,
                                  struct pollfd *polled)
{
    struct connection *free_one = NULL;

    for (int i = 0; i < CONNECTIONS; i++) {
        bool is_free = connections[i].phase == FREE;
        polled[i] = (struct pollfd){.fd = is_free ? -1 : connections[i].descriptor,
                                    .events = connections[i].phase == ANSWERING ? POLLOUT : POLLIN};
        if (is_free)
            free_one = &connections[i];
    }
    polled[CONNECTIONS] = (struct pollfd){.fd = free_one ? serve->listener : -1, .events = POLLIN};
    return free_one;
}

int serve_run(struct serve *serve)
{
    static struct connection connections[CONNECTIONS];
    struct pollfd polled[CONNECTIONS + 1];
    const struct timespec second = {.tv_sec = 1};
    sigset_t meanwhile;
    int result = 0;

    take_signals(&meanwhile);
    while (!is_over) {
        struct connection *next = prepare(serve, connections, polled);
        if (ppoll(polled, CONNECTIONS + 1, &second, &meanwhile) < 0) {
            if (errno == EINTR)
                continue;
            result = -errno;
            break;
        }
        for (int i = 0; i < CONNECTIONS; i++)
            if (polled[i].revents)
                go_on(serve, &connections[i]);
        for (int i = 0; i < CONNECTIONS; i++)
            expire(serve, &connections[i], clock_now_us() / 1000);
        if (polled[CONNECTIONS].revents)
            accept_into(serve, next);
    }
    close(serve->listener);
    return result;
}
