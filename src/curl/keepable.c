#include "curl/keepable.h"

#include <string.h>
#include <strings.h>

#include "core/method.h"
#include "curl/call.h"
#include "curl/held.h"

/* ---- which request ---- */

/* Who is asked for by name or by secret gets a reply of his own. */
static bool has_credentials(const struct handle *handle)
{
    const char *url = handle->texts[HANDLES_URL].bytes, *authority = strstr(url, "://");

    if (handle->has_credentials || handle->words[HANDLES_CURLU])
        return true;
    authority = authority ? authority + 3 : url;
    return memchr(authority, '@', strcspn(authority, "/?#")) != NULL;
}

/* Whose they are nobody can tell; a share (curl's own always has one) may bring them, too. */
static bool has_cookies(const struct handle *handle)
{
    const struct libcurl *libcurl = handle->libcurl;
    struct curl_slist *list = NULL;

    libcurl->easy_getinfo(handle->easy, CURLINFO_COOKIELIST, &list);
    bool has_any = list;
    while (list) {
        struct curl_slist *next = list->next;
        libcurl->free(list->data);
        libcurl->free(list);
        list = next;
    }
    return has_any;
}

static bool names(const char *line, const char *name)
{
    size_t length = strlen(name);
    return strncasecmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ';');
}

static bool is_credential(const char *line)
{
    return names(line, "Authorization") || names(line, "Proxy-Authorization") || names(line, "Cookie") ||
           names(line, "Range") || names(line, "If-Range");
}

static bool sends_credentials(const struct call *call)
{
    const struct rules_policy *policy = call->gate.policy;

    for (const struct curl_slist *node = handles_pointer(call->handle, HANDLES_HTTPHEADER); node;
         node = node->next)
        if (node->data && is_credential(node->data))
            return true;
    for (uint32_t i = 0; i < policy->header_count; i++)
        if (is_credential(policy->headers[i].line))
            return true;
    return false;
}

/* Another resource than its URL's, a part of it, or as it was coded for the way (curl --raw). */
static bool asks_for_another(const struct handle *handle)
{
    return handle->words[HANDLES_REQUEST_TARGET] || handle->texts[HANDLES_RANGE].bytes ||
           handle->words[HANDLES_RESUME_FROM_LARGE] || !handle->words[HANDLES_HTTP_TRANSFER_DECODING];
}

bool keepable_request(const struct call *call)
{
    const struct handle *handle = call->handle;

    return call->is_http && call->method == METHOD_GET && handle->request == HANDLES_GET &&
           handle->texts[HANDLES_URL].bytes && !asks_for_another(handle) && !has_credentials(handle) &&
           !sends_credentials(call) && !has_cookies(handle);
}

bool keepable_is_of_call(const char *line)
{
    return names(line, "X-Request-Id") || names(line, "traceparent") || names(line, "tracestate");
}

/* ---- which reply ---- */

/* Whether a list has the word, with or without a value behind it. */
static bool has_word(const struct held_value *list, const char *word)
{
    size_t length = strlen(word);

    for (size_t at = 0; list->text && at + length <= list->length; at++) {
        bool begins =
            at == 0 || list->text[at - 1] == ',' || list->text[at - 1] == ' ' || list->text[at - 1] == '\t';
        char behind = at + length < list->length ? list->text[at + length] : ',';
        if (begins && strncasecmp(list->text + at, word, length) == 0 &&
            (behind == ',' || behind == '=' || behind == ' ' || behind == '\t' || behind == ';'))
            return true;
    }
    return false;
}

/* Of what a reply depends on, nothing but the coding is let pass: there is none. */
static bool varies(const struct held_value *vary)
{
    static const char coding[] = "Accept-Encoding";
    return vary->length &&
           (vary->length != sizeof coding - 1 || strncasecmp(vary->text, coding, vary->length) != 0);
}

/* A field may come several times, and each counts; one that goes on in another line is not read. */
static bool forbids(const char *line, size_t size)
{
    /* RFC 9111, 4.2.4 and 5.2.2: the first two may not be kept, the others not given unasked, however old. */
    static const char *const words[] = {"private", "no-store", "no-cache", "must-revalidate"};
    static const char *const fields[] = {"Set-Cookie", "Set-Cookie2", "Content-Encoding"};
    struct held_value value;

    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (held_line(line, size, fields[i], &value))
            return true;
    if (held_line(line, size, "Cache-Control", &value)) {
        bool found = false;
        for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
            found |= has_word(&value, words[i]);
        return found;
    }
    if (held_line(line, size, "Vary", &value))
        return varies(&value);
    return line[0] == ' ' || line[0] == '\t';
}

static bool is_forbidden(const struct reply *reply)
{
    bool found = false;
    uint32_t size;

    for (size_t at = 0; at + sizeof size < reply->length; at += size) {
        memcpy(&size, reply->lines + at, sizeof size);
        at += sizeof size;
        const char *line = reply->lines + at;
        bool begins = size > 5 && memcmp(line, "HTTP/", 5) == 0; /* another block */
        found = !begins && (found || (size && forbids(line, size)));
    }
    return found;
}

bool keepable_reply(const struct reply *reply)
{
    return reply->block.status == 200 && !reply_was_redirected(reply) && !is_forbidden(reply);
}

/* Of the connection and of this one transfer (RFC 9110, 7.6.1); the length is told anew. */
static bool is_of_transfer(const char *line)
{
    static const char *const fields[] = {
        "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
        "TE",         "Trailer",    "Upgrade",          "Content-Length",
        "Age",        "Warning",    "Alt-Svc",          "Strict-Transport-Security"};

    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (names(line, fields[i]))
            return true;
    return false;
}

size_t keepable_head(const struct reply *reply, char head[KEEPABLE_HEAD_MAX])
{
    size_t length = 0;
    uint32_t size;

    for (size_t at = 0; at + sizeof size < reply->length; at += size) {
        memcpy(&size, reply->lines + at, sizeof size);
        at += sizeof size;
        const char *line = reply->lines + at;
        if (size > 5 && memcmp(line, "HTTP/", 5) == 0) { /* what it is given by later speaks 1.1 */
            static const char status[] = "HTTP/1.1 200 OK\r\n";
            memcpy(head, status, sizeof status - 1);
            length = sizeof status - 1;
            continue;
        }
        if (block_is_blank(line, size) || is_of_transfer(line))
            continue;
        if (length + size > KEEPABLE_HEAD_MAX)
            return 0;
        memcpy(head + length, line, size);
        length += size;
    }
    return length;
}
