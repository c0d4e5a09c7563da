#include "request.h"

#include <string.h>
#include <strings.h>

size_t request_head_length(const char *bytes, size_t length, size_t *scanned)
{
    size_t from = *scanned > 3 ? *scanned - 3 : 0; /* the end may have come in two pieces */
    const char *end = NULL;
    if (length > from)
        end = memmem(bytes + from, length - from, "\r\n\r\n", 4);
    *scanned = end ? 0 : length;
    return end ? (size_t)(end - bytes) + 4 : 0;
}

static bool span_is(struct span span, const char *word)
{
    return span.length == strlen(word) && strncasecmp(span.at, word, span.length) == 0;
}

static bool span_has(struct span span, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= span.length; i++)
        if (strncasecmp(span.at + i, word, length) == 0)
            return true;
    return false;
}

static struct span trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (from < to && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return (struct span){from, (size_t)(to - from)};
}

static const char *take_length(struct request *r, struct span value)
{
    if (value.length == 0 || value.length > 18)
        return "bad Content-Length";
    r->length = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return "bad Content-Length";
        r->length = r->length * 10 + (uint64_t)(value.at[i] - '0');
    }
    return NULL;
}

static const char *take_coding(struct request *r, struct span value)
{
    if (!span_is(value, "chunked"))
        return "a Transfer-Encoding other than chunked";
    r->chunked = true;
    return NULL;
}

static const char *take_connection(struct request *r, struct span value)
{
    if (span_has(value, "close"))
        r->keeps = false;
    else if (span_has(value, "keep-alive"))
        r->keeps = true;
    return NULL;
}

static const char *take_expect(struct request *r, struct span value)
{
    r->expects = span_is(value, "100-continue");
    return r->expects ? NULL : "an Expect other than 100-continue";
}

static const char *take_authorization(struct request *r, struct span value)
{
    r->authorized = value.length > 0;
    return NULL;
}

static const char *take_none_match(struct request *r, struct span value)
{
    r->none_match = value;
    return NULL;
}

static const struct {
    const char *name;
    const char *(*take)(struct request *r, struct span value);
} headers[] = {
    {"content-length",    take_length       },
    {"transfer-encoding", take_coding       },
    {"connection",        take_connection   },
    {"expect",            take_expect       },
    {"authorization",     take_authorization},
    {"if-none-match",     take_none_match   },
};

static const char *take_header(struct request *r, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon || colon == line)
        return "a header line without a name";
    struct span name = {line, (size_t)(colon - line)};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (span_is(name, headers[i].name))
            return headers[i].take(r, trimmed(colon + 1, end));
    return NULL;
}

/* Proxies' clients send http://host/path?query. */
static void take_target(struct request *r, const char *at, const char *end)
{
    if (end - at > 7 && strncasecmp(at, "http://", 7) == 0) {
        const char *slash = memchr(at + 7, '/', (size_t)(end - at - 7));
        at = slash ? slash : end;
    }
    const char *question = memchr(at, '?', (size_t)(end - at));
    r->path = (struct span){at, (size_t)((question ? question : end) - at)};
    if (r->path.length == 0)
        r->path = (struct span){"/", 1};
    if (question)
        r->query = (struct span){question + 1, (size_t)(end - question - 1)};
}

static const char *take_request_line(struct request *r, const char *line, const char *end)
{
    const char *space = memchr(line, ' ', (size_t)(end - line));
    const char *last = memrchr(line, ' ', (size_t)(end - line));
    if (!space || space == line || last <= space + 1)
        return "no request line";
    if (end - last != 9 || strncmp(last + 1, "HTTP/1.", 7) != 0 || last[8] < '0' || last[8] > '9')
        return "not HTTP/1.x";
    r->method = (struct span){line, (size_t)(space - line)};
    r->is_head = span_is(r->method, "HEAD");
    r->minor = (unsigned)(last[8] - '0');
    r->keeps = r->minor > 0;
    take_target(r, space + 1, last);
    return NULL;
}

const char *request_parse(struct request *request, const char *head, size_t length)
{
    *request = (struct request){
        .head = {head, length}
    };
    const char *last = head + length - 2; /* the empty line */
    if (memchr(head, '\0', length))
        return "a NUL byte in the head";
    const char *line = head;
    const char *end = memmem(line, length, "\r\n", 2);
    const char *wrong = take_request_line(request, line, end);
    for (line = end + 2; !wrong && line < last; line = end + 2) {
        end = memmem(line, (size_t)(head + length - line), "\r\n", 2);
        wrong = take_header(request, line, end);
    }
    return wrong;
}

void request_forget(struct request *request)
{
    struct span none = {"", 0};
    request->head = request->method = request->path = none;
    request->query = request->none_match = none;
}

bool request_has_body(const struct request *request)
{
    return request->chunked || request->length > 0;
}
