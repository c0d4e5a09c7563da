#include "agent/redis.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "report/log.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { PATIENCE_MS = 5000, AGAIN_MS = 500, AGAIN_MOST_MS = 30000, TROUBLE = 64 };

static uint64_t now_ms(void)
{
    return clock_now_us() / 1000;
}

const char *redis_open(struct redis *redis, const char *url)
{
    const char *fault = redis_url_read(&redis->url, url);

    if (fault)
        return fault;
    redis->socket = -1;
    redis->in = malloc(REDIS_REPLY);
    return redis->in ? NULL : strerror(ENOMEM);
}

static void disconnect(struct redis *redis)
{
    if (redis->socket >= 0)
        close(redis->socket);
    free(redis->out);
    redis->out = NULL;
    redis->socket = -1;
    redis->in_length = redis->reply_length = 0;
    redis->phase = REDIS_AWAY;
}

void redis_close(struct redis *redis)
{
    if (!redis->in)
        return;
    disconnect(redis);
    free(redis->in);
    redis->in = NULL;
}

/* Gives the connection up: it is tried again, ever later, each agent at a moment of its own. */
static void give_up(struct redis *redis, const char *why)
{
    uint32_t again_ms = AGAIN_MS << (redis->failures < 6 ? redis->failures : 6);
    struct log_line line;

    again_ms = again_ms < AGAIN_MOST_MS ? again_ms : AGAIN_MOST_MS;
    disconnect(redis);
    redis->failures++;
    redis->due_ms = now_ms() + again_ms / 2 + random_32() % (again_ms / 2);
    if (redis->told == REDIS_TOLD_AWAY)
        return;
    redis->told = REDIS_TOLD_AWAY;
    log_begin(&line, LOG_WARN, "redis", "the Redis is away, circuits are not shared until it is back");
    log_text(&line, "reason", why);
    log_end(&line);
}

/* ---- connecting ---- */

static int connect_to(struct redis *redis, int family, const struct sockaddr *address, socklen_t length)
{
    redis->socket = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (redis->socket < 0)
        return -errno;
    return connect(redis->socket, address, length) == 0 || errno == EINPROGRESS ? 0 : -errno;
}

static const char *connect_by_path(struct redis *redis)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(redis->url.path) >= sizeof address.sun_path)
        return strerror(ENAMETOOLONG);
    strcpy(address.sun_path, redis->url.path);
    int error = connect_to(redis, AF_UNIX, (struct sockaddr *)&address, sizeof address);
    return error ? strerror(-error) : NULL;
}

static const char *connect_by_name(struct redis *redis)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL, *address;
    int error = getaddrinfo(redis->url.host, redis->url.port, &hints, &found);

    if (error)
        return gai_strerror(error);
    unsigned count = 0;
    for (address = found; address; address = address->ai_next)
        count++;
    unsigned skipped = redis->failures % count; /* each address has its turn */
    for (address = found; skipped > 0; skipped--)
        address = address->ai_next;
    error = connect_to(redis, address->ai_family, address->ai_addr, address->ai_addrlen);
    freeaddrinfo(found);
    return error ? strerror(-error) : NULL;
}

static void begin(struct redis *redis)
{
    const char *fault = redis->url.path[0] ? connect_by_path(redis) : connect_by_name(redis);

    if (fault) {
        give_up(redis, fault);
        return;
    }
    redis->phase = REDIS_CONNECTING;
    redis->due_ms = now_ms() + PATIENCE_MS;
}

static void send_commands(struct redis *redis, char *commands, size_t length, unsigned count)
{
    redis->out = commands;
    redis->out_length = length;
    redis->sent = 0;
    redis->replies = count;
    redis->due_ms = now_ms() + PATIENCE_MS;
    if (!commands)
        give_up(redis, strerror(ENOMEM));
}

/* Who we are, which database, and whether it answers at all. */
static void greet(struct redis *redis)
{
    const struct redis_url *url = &redis->url;
    const char *const by_name[] = {"AUTH", url->user, url->password, NULL};
    const char *const by_password[] = {"AUTH", url->password, NULL};
    const char *const choose[] = {"SELECT", url->database, NULL}, *const ping[] = {"PING", NULL};
    char *commands = NULL;
    size_t length;
    FILE *to = open_memstream(&commands, &length);

    if (to && url->password[0])
        resp_write(to, url->user[0] ? by_name : by_password);
    if (to && url->database[0])
        resp_write(to, choose);
    if (to)
        resp_write(to, ping);
    if (to && fclose(to) != 0) {
        free(commands);
        commands = NULL;
    }
    redis->phase = REDIS_GREETING;
    send_commands(redis, commands, length, 1u + (url->password[0] != 0) + (url->database[0] != 0));
}

static void finish_connect(struct redis *redis)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(redis->socket, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error)
        give_up(redis, strerror(error));
    else
        greet(redis);
}

/* ---- asking ---- */

void redis_ask(struct redis *redis, char *commands, size_t length, unsigned count)
{
    redis->phase = REDIS_ASKED;
    send_commands(redis, commands, length, count);
}

static void send_more(struct redis *redis)
{
    ssize_t put =
        send(redis->socket, redis->out + redis->sent, redis->out_length - redis->sent, MSG_NOSIGNAL);

    if (put < 0 && errno != EAGAIN && errno != EINTR)
        give_up(redis, strerror(errno));
    else if (put > 0)
        redis->sent += (size_t)put;
}

static void receive(struct redis *redis)
{
    ssize_t got = read(redis->socket, redis->in + redis->in_length, REDIS_REPLY - redis->in_length);

    if (got < 0 && errno != EAGAIN && errno != EINTR)
        give_up(redis, strerror(errno));
    else if (got == 0)
        give_up(redis,
                redis->in_length == REDIS_REPLY ? "its reply is too long" : "it closed the connection");
    else if (got > 0)
        redis->in_length += (size_t)got;
}

/* The kind of an error ("WRONGPASS"): what follows it is the server's own text, which may hold anything. */
void redis_refuse(struct redis *redis, const struct resp_value *error)
{
    char why[TROUBLE] = "it refuses: ";
    size_t length = strlen(why);

    for (size_t i = 0;
         i < error->length && error->text[i] >= 'A' && error->text[i] <= 'Z' && length < TROUBLE - 1; i++)
        why[length++] = error->text[i];
    why[length] = '\0';
    give_up(redis, why);
}

unsigned redis_reply(struct redis *redis, struct resp_value values[REDIS_VALUES])
{
    if (redis->phase < REDIS_GREETING || redis->replies == 0)
        return 0;
    long length = resp_read(redis->in, redis->in_length, values, REDIS_VALUES);
    if (length < 0)
        give_up(redis, "it does not speak as a Redis does");
    if (length <= 0)
        return 0;
    redis->reply_length = (size_t)length;
    return values->type == RESP_ARRAY ? 1 + (unsigned)values->number : 1;
}

void redis_take(struct redis *redis)
{
    if (redis->phase < REDIS_GREETING)
        return; /* given up meanwhile */
    redis->in_length -= redis->reply_length;
    memmove(redis->in, redis->in + redis->reply_length, redis->in_length);
    redis->reply_length = 0;
    if (--redis->replies > 0)
        return;
    free(redis->out);
    redis->out = NULL;
    redis->phase = REDIS_IDLE;
    redis->due_ms = UINT64_MAX;
}

static void take_greetings(struct redis *redis)
{
    struct resp_value values[REDIS_VALUES];

    while (redis->phase == REDIS_GREETING && redis_reply(redis, values)) {
        if (values->type == RESP_ERROR)
            redis_refuse(redis, values);
        redis_take(redis);
    }
}

void redis_was_of_use(struct redis *redis)
{
    redis->failures = 0;
    if (redis->told == REDIS_TOLD_THERE)
        return;
    redis->told = REDIS_TOLD_THERE;
    log_say(LOG_INFO, "redis", "the Redis is there, circuits are shared");
}

/* ---- the loop ---- */

void redis_prepare(struct redis *redis, struct pollfd *polled)
{
    bool has_more = redis->out && redis->sent < redis->out_length;

    if (redis->in && redis->phase == REDIS_AWAY && now_ms() >= redis->due_ms)
        begin(redis);
    *polled = (struct pollfd){.fd = redis->in ? redis->socket : -1, .events = POLLIN};
    if (redis->phase == REDIS_CONNECTING || has_more)
        polled->events |= POLLOUT;
}

uint32_t redis_pause_ms(const struct redis *redis)
{
    uint64_t now = now_ms();

    if (!redis->in || redis->due_ms == UINT64_MAX)
        return UINT32_MAX;
    return redis->due_ms > now ? (uint32_t)(redis->due_ms - now) : 0;
}

void redis_continue(struct redis *redis, const struct pollfd *polled)
{
    if (!redis->in || redis->phase == REDIS_AWAY || polled->fd != redis->socket)
        return;
    if (redis->phase == REDIS_CONNECTING && polled->revents)
        finish_connect(redis);
    else if (polled->revents & (POLLIN | POLLHUP | POLLERR))
        receive(redis);
    if (redis->phase != REDIS_AWAY && redis->out && redis->sent < redis->out_length)
        send_more(redis);
    if (redis->phase == REDIS_GREETING)
        take_greetings(redis);
    if (redis->phase == REDIS_IDLE && redis->in_length > 0)
        give_up(redis, "it says what it was not asked");
    else if (redis->phase != REDIS_AWAY && now_ms() >= redis->due_ms)
        give_up(redis, "it takes too long");
}
