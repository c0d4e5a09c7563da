#include "curl/relay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/method.h"
#include "curl/call.h"
#include "curl/made.h"

enum {
    HEAD_MAX = 64 * 1024, /* it must fit into the made reply's socket at once */
    FRAME = 32            /* around a chunk */
};

void relay_init(struct relay *relay)
{
    *relay = (struct relay){.has_room = true};
    block_init(&relay->block);
}

static bool names(const char *line, size_t size, const char *name)
{
    size_t length = strlen(name);
    return size > length && line[length] == ':' && strncasecmp(line, name, length) == 0;
}

/* RFC 9110, 7.6.1: these are of one connection. Chunks are said as chunks. */
static bool is_of_connection(const char *line, size_t size)
{
    static const char *const fields[] = {"Connection", "Keep-Alive", "Proxy-Connection",
                                         "Trailer",    "Upgrade",    "TE"};

    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (names(line, size, fields[i]))
            return true;
    return false;
}

static bool grow(char **bytes, size_t *room, size_t needed)
{
    size_t size = *room ? *room : 4096;

    while (size < needed)
        size *= 2;
    char *grown = size > *room ? realloc(*bytes, size) : *bytes;
    if (!grown)
        return false;
    *bytes = grown;
    *room = size;
    return true;
}

static void put(struct relay *relay, const char *text, size_t size)
{
    if (relay->head_length + size > HEAD_MAX ||
        !grow(&relay->head, &relay->head_size, relay->head_length + size)) {
        relay->has_room = false;
        return;
    }
    memcpy(relay->head + relay->head_length, text, size);
    relay->head_length += size;
}

/* Whatever version it came in, this connection speaks 1.1. */
static void put_status(struct relay *relay, const char *line, size_t size)
{
    const char *space = memchr(line, ' ', size);

    put(relay, "HTTP/1.1", 8);
    if (space)
        put(relay, space, size - (size_t)(space - line));
}

/* Nearly always the one coding that libcurl asks for. */
static bool says_chunked(const char *line, size_t size)
{
    static const char usual[] = "Transfer-Encoding: chunked";
    size_t length = sizeof usual - 1;

    return size > length && strncasecmp(line, usual, length) == 0 &&
           (line[length] == '\r' || line[length] == '\n');
}

static void put_field(struct relay *relay, const char *line, size_t size)
{
    bool is_coding = names(line, size, "Transfer-Encoding");

    relay->is_coded |= is_coding;
    relay->says_chunked |= says_chunked(line, size);
    relay->has_length |= names(line, size, "Content-Length");
    if (!is_of_connection(line, size) && (!is_coding || relay->says_chunked))
        put(relay, line, size);
}

/* Another block begins. Hints (1xx) stay before it, all else was not the reply. */
static void begin_block(struct relay *relay, const char *line, size_t size)
{
    relay->head_length = relay->block_start;
    relay->is_coded = relay->says_chunked = relay->has_length = false;
    put_status(relay, line, size);
}

bool relay_line(struct relay *relay, const char *line, size_t size)
{
    bool begins = relay->block.has_ended || !relay->block.status;
    bool ends = block_read(&relay->block, line, size);

    if (ends && relay->block.status / 100 == 1) {
        put(relay, "\r\n", 2);
        relay->block_start = relay->head_length;
    } else if (!relay->block.has_ended && begins) { /* else it is one of a trailer */
        begin_block(relay, line, size);
    } else if (!relay->block.has_ended) {
        put_field(relay, line, size);
    }
    return ends;
}

/* ---- the body ---- */

static size_t write_hex(char *to, size_t number)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = 1;

    while (number >> (4 * length))
        length++;
    for (size_t i = 0; i < length; i++)
        to[i] = digits[number >> (4 * (length - 1 - i)) & 15];
    return length;
}

static void append(struct relay *relay, const char *bytes, size_t size)
{
    memcpy(relay->body + relay->body_length, bytes, size);
    relay->body_length += size;
}

bool relay_body(struct relay *relay, const char *bytes, size_t size)
{
    if (relay->body_length)
        return false;
    if (!grow(&relay->body, &relay->body_size, size + FRAME)) {
        relay->has_room = false;
        return false;
    }
    if (relay->is_chunked) {
        relay->body_length = write_hex(relay->body, size);
        append(relay, "\r\n", 2);
    }
    append(relay, bytes, size);
    if (relay->is_chunked)
        append(relay, "\r\n", 2);
    return true;
}

bool relay_flush(struct relay *relay, struct call *call)
{
    while (relay->body_said < relay->body_length) {
        size_t taken = made_say(call, relay->body + relay->body_said, relay->body_length - relay->body_said);
        if (!taken)
            return false;
        relay->body_said += taken;
    }
    relay->body_said = relay->body_length = 0;
    return true;
}

void relay_close(struct relay *relay, struct call *call, bool is_whole)
{
    static const char last[] = "0\r\n\r\n";

    if (relay->is_closed)
        return;
    if (is_whole && relay->is_chunked) {
        relay->is_chunked = false;
        if (!grow(&relay->body, &relay->body_size, sizeof last))
            is_whole = false;
        else
            append(relay, last, sizeof last - 1);
    }
    if (!relay_flush(relay, call))
        return;
    relay->is_closed = true;
    made_close(call);
}

/* ---- its course ---- */

static bool has_body(const struct relay *relay, uint32_t method)
{
    int status = relay->block.status;
    return !(method & METHOD_HEAD) && status != 204 && status != 304;
}

/* A length beside chunks is none (RFC 9112, 6.3). */
static void drop_length(struct relay *relay)
{
    char *to = relay->head + relay->block_start, *end = relay->head + relay->head_length;

    for (char *line = to; line < end;) {
        char *after = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((after ? after + 1 : end) - line);
        if (!names(line, size, "Content-Length")) {
            memmove(to, line, size);
            to += size;
        }
        line += size;
    }
    relay->head_length = (size_t)(to - relay->head);
}

void relay_settle(struct relay *relay, uint32_t method)
{
    static const char chunked[] = "Transfer-Encoding: chunked\r\n";

    relay->is_chunked = has_body(relay, method) && (relay->is_coded || !relay->has_length);
    if (relay->is_chunked)
        drop_length(relay);
    if (relay->is_chunked && !relay->says_chunked)
        put(relay, chunked, sizeof chunked - 1);
    put(relay, "\r\n", 2);
}

bool relay_begin(struct relay *relay, struct call *call, const char *url, bool was_secure)
{
    struct made_reply reply = {.url = url,
                               .was_secure = was_secure,
                               .head = relay->head,
                               .head_length = relay->head_length,
                               .file = -1,
                               .end = MADE_GOES_ON};
    return relay->has_room && made_begin(call, &reply, MADE_FOR_ATTEMPT);
}

void relay_clear(struct relay *relay)
{
    free(relay->head);
    free(relay->body);
    relay->head = relay->body = NULL;
}
