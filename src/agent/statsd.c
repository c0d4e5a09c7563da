#include "agent/statsd.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/breaker.h"
#include "core/outcome.h"
#include "report/histogram.h"
#include "report/log.h"
#include "sys/clock.h"
#include "tool/meter.h"

enum { NAME = 256, LINE = 640 };

/* ---- the socket ---- */

static const char *split(const char *where, char host[NAME], const char **port)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;

    if (length == 0 || length >= NAME || !colon[1])
        return "expected HOST:PORT or [ADDRESS]:PORT, such as 127.0.0.1:8125";
    if (where[0] == '[' && where[length - 1] == ']') {
        where++;
        length -= 2;
    }
    snprintf(host, NAME, "%.*s", (int)length, where);
    *port = colon + 1;
    return NULL;
}

const char *statsd_open(struct statsd *statsd, const char *where, uint64_t interval_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[NAME];
    const char *port, *fault = split(where, host, &port);

    if (fault)
        return fault;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error)
        return gai_strerror(error);
    statsd->socket = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (statsd->socket < 0 || connect(statsd->socket, found->ai_addr, found->ai_addrlen) < 0)
        fault = strerror(errno);
    freeaddrinfo(found);
    if (fault)
        return fault;
    statsd->interval_ms = interval_ms;
    statsd->due_ms = clock_now_us() / 1000; /* at once: what was counted before is none of ours */
    return NULL;
}

/*
 * What the kernel holds against a datagram is mostly of the one before: that nobody took it. It is told
 * instead of sending, so this one goes in a second try, and whether there is somebody shows at the next.
 */
static void send_datagram(struct statsd *statsd)
{
    bool is_deaf = send(statsd->socket, statsd->datagram, statsd->length, 0) < 0 && errno != EAGAIN;

    if (is_deaf)
        (void)!send(statsd->socket, statsd->datagram, statsd->length, 0);
    if (is_deaf != statsd->is_deaf)
        log_say(is_deaf ? LOG_WARN : LOG_INFO, "statsd",
                is_deaf ? "the StatsD server does not take datagrams" : "the StatsD server takes datagrams");
    statsd->is_deaf = is_deaf;
    statsd->length = 0;
}

static void put_line(struct statsd *statsd, const char *line, size_t length)
{
    if (length >= LINE)
        return; /* cut: no name of ours is that long */
    if (statsd->length + 1 + length > sizeof statsd->datagram)
        send_datagram(statsd);
    if (statsd->length)
        statsd->datagram[statsd->length++] = '\n';
    memcpy(statsd->datagram + statsd->length, line, length);
    statsd->length += length;
}

/* ---- a line ---- */

/* A tag's value, or with is_name a part of a name: what parts others from it becomes '_'. */
static const char *clean(const char *text, bool is_name, char out[NAME])
{
    static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length = 0;

    for (; length < NAME - 1 && text[length]; length++) {
        bool is_fit = strchr(fit, text[length]) || (!is_name && strchr(".:/[]~*@", text[length]));
        out[length] = is_fit ? text[length] : '_';
    }
    out[length] = '\0';
    return out;
}

/* value is "3|c"; more is one more tag and its value, or NULL. */
static void put(struct statsd *statsd, const struct snapshot *host, const char *name, const char *value,
                const char *more, const char *more_value)
{
    bool is_name = statsd->is_untagged;
    const char *mode = host->is_shadow ? "shadow" : "enforce";
    char line[LINE], place[NAME], policy[NAME];

    clean(host->host, is_name, place);
    clean(host->policy[0] ? host->policy : "all", is_name, policy);
    int length = is_name ? snprintf(line, sizeof line, "gusset.%s.%s.%s.%s%s%s:%s", place, policy, mode, name,
                                    more ? "." : "", more ? more_value : "", value)
                         : snprintf(line, sizeof line, "gusset.%s:%s|#host:%s,policy:%s,mode:%s%s%s%s%s",
                                    name, value, place, policy, mode, more ? "," : "", more ? more : "",
                                    more ? ":" : "", more ? more_value : "");
    put_line(statsd, line, (size_t)length);
}

/* ---- what there is to tell ---- */

/* A smaller number than before is another state file's. */
static uint64_t since(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : now;
}

static bool put_count(struct statsd *statsd, const struct snapshot *host, const char *name, uint64_t count,
                      const char *type)
{
    char value[32];

    if (count == 0)
        return false;
    snprintf(value, sizeof value, "%llu|c", (unsigned long long)count);
    put(statsd, host, name, value, type ? "error_type" : NULL, type);
    return true;
}

/* A sample stands for all calls of a bucket: its rate says of how many. */
static void put_latency(struct statsd *statsd, const struct snapshot *host, const struct snapshot *before)
{
    char value[64];

    for (unsigned b = 0; b < LAYOUT_LATENCY_BUCKETS; b++) {
        uint32_t one[LAYOUT_LATENCY_BUCKETS] = {0};
        uint64_t calls = since(host->latency[b], before->latency[b]);
        if (calls == 0)
            continue;
        one[b] = 1;
        double ms = (double)histogram_sum_us(one) / 1e3;
        if (calls == 1)
            snprintf(value, sizeof value, "%.3f|ms", ms);
        else
            snprintf(value, sizeof value, "%.3f|ms|@%.9g", ms, 1.0 / (double)calls);
        put(statsd, host, "call_duration", value, NULL, NULL);
    }
}

static void put_host(struct statsd *statsd, const struct snapshot *host, const struct snapshot *before)
{
    enum breaker_state state = breaker_state(host->circuit);
    bool is_told = state != BREAKER_CLOSED || breaker_state(before->circuit) != state;

    for (unsigned c = 0; c < LAYOUT_COUNTERS_USED; c++)
        is_told |= put_count(statsd, host, meter_counter_name((enum layout_counter)c),
                             since(host->counters[c], before->counters[c]), NULL);
    for (unsigned type = 1; type < OUTCOME_TYPES; type++)
        is_told |= put_count(statsd, host, "errors", since(host->errors[type - 1], before->errors[type - 1]),
                             outcome_type_name(type));
    put_latency(statsd, host, before);
    if (is_told)
        put(statsd, host, "circuit_open", state == BREAKER_OPEN ? "1|g" : "0|g", NULL, NULL);
}

static const struct snapshot *find(const struct snapshot_list *list, uint64_t key)
{
    static const struct snapshot none;

    for (unsigned i = 0; i < list->count; i++)
        if (list->items[i].key == key)
            return &list->items[i];
    return &none;
}

void statsd_turn(struct statsd *statsd, struct reading *reading, bool is_last)
{
    uint64_t now_ms = clock_now_us() / 1000;

    if (statsd->interval_ms == 0 || (now_ms < statsd->due_ms && !is_last))
        return;
    statsd->due_ms = now_ms + statsd->interval_ms;
    if (reading_take(reading, NULL) < 0) /* it has said why; all the more is told the next time */
        return;
    for (unsigned i = 0; statsd->has_past && i < reading->hosts.count; i++)
        put_host(statsd, &reading->hosts.items[i], find(&statsd->past, reading->hosts.items[i].key));
    if (statsd->length)
        send_datagram(statsd);
    snapshot_clear(&statsd->past);
    statsd->past = reading->hosts;
    statsd->has_past = true;
    reading->hosts = (struct snapshot_list){0};
    reading_drop(reading);
}

uint32_t statsd_pause_ms(const struct statsd *statsd)
{
    uint64_t now_ms = clock_now_us() / 1000;

    if (statsd->interval_ms == 0)
        return UINT32_MAX;
    return statsd->due_ms > now_ms ? (uint32_t)(statsd->due_ms - now_ms) : 0;
}

void statsd_close(struct statsd *statsd)
{
    if (statsd->interval_ms)
        close(statsd->socket);
    snapshot_clear(&statsd->past);
}
