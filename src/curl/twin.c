#include "curl/twin.h"

#include <stdlib.h>
#include <string.h>

#include "curl/call.h"
#include "gate/race.h"
#include "sys/clock.h"

/* ---- whose request has one ---- */

/* What a program has set that speaks against it: options that are kept, and HANDLES_SINGLE. */
static bool has_unfit_option(const struct handle *handle)
{
    const uint64_t *words = handle->words;

    /* Functions of the program's that a copy would call, or that say where a request may go. */
    if (words[HANDLES_OPENSOCKETFUNCTION] || words[HANDLES_CLOSESOCKETFUNCTION] ||
        words[HANDLES_SOCKOPTFUNCTION] || words[HANDLES_PREREQFUNCTION])
        return true;
    /* A CURLU may be freed meanwhile, and the list of CURLOPT_RESOLVE is, which a copy would read again. */
    if (handle->is_single || words[HANDLES_CURLU] || handle->resolved || words[HANDLES_CONNECT_ONLY] ||
        handles_binds_connection(words[HANDLES_HTTPAUTH]))
        return true;
    return words[HANDLES_CERTINFO] && handle->target.scheme == TARGET_HTTPS; /* who is asked has none */
}

/* A part: another one may be of another whole. An upgraded connection: what it carries is no reply. */
static bool asks_for_other_than_whole(const struct call *call)
{
    const struct handle *handle = call->handle;
    return handle->texts[HANDLES_RANGE].bytes || handle->words[HANDLES_RESUME_FROM_LARGE] ||
           inject_program_sends(call, "Range") || inject_program_sends(call, "Upgrade");
}

bool twin_is_fit(const struct call *call)
{
    const struct handle *handle = call->handle;

    if (!call->is_http || !(call->method & RACE_METHODS) ||
        (handle->request != HANDLES_GET && handle->request != HANDLES_HEAD))
        return false;
    return handle->words[HANDLES_HTTP_TRANSFER_DECODING] && !asks_for_other_than_whole(call) &&
           !has_unfit_option(handle) && handle->libcurl->easy_duphandle;
}

/* ---- headers ---- */

static const struct curl_slist *worn_list(const struct call *call)
{
    return call->inject.is_dressed ? call->inject.worn : handles_pointer(call->handle, HANDLES_HTTPHEADER);
}

static const char *line_of(const struct call *call, const struct curl_slist *node,
                           const struct twin_given *given)
{
    return node->data == call->inject.traceparent ? given->traceparent : node->data;
}

/* Nodes and texts in one piece, since the program may free its own list. False: no memory. */
static bool copy_headers(const struct call *call, struct twin_given *given)
{
    size_t count = 0, size = 0;

    memcpy(given->traceparent, call->inject.traceparent, sizeof given->traceparent);
    if (call->gate.policy->propagate & POLICY_TRACEPARENT)
        trace_next_span(given->traceparent);
    for (const struct curl_slist *node = worn_list(call); node; node = node->next, count++)
        size += node->data ? strlen(line_of(call, node, given)) + 1 : 0;
    given->nodes = count ? malloc(count * sizeof *given->nodes + size) : NULL;
    if (!given->nodes)
        return !count;
    char *text = (char *)(given->nodes + count);
    struct curl_slist *to = given->nodes;
    for (const struct curl_slist *node = worn_list(call); node; node = node->next, to++) {
        const char *line = node->data ? line_of(call, node, given) : NULL;
        size_t length = line ? strlen(line) + 1 : 0;
        to->data = line ? text : NULL;
        to->next = node->next ? to + 1 : NULL;
        if (line)
            memcpy(text, line, length);
        text += length;
    }
    return true;
}

/* ---- cookies ---- */

static void free_list(const struct libcurl *libcurl, struct curl_slist *list)
{
    while (list) {
        struct curl_slist *next = list->next;
        libcurl->free(list->data);
        libcurl->free(list);
        list = next;
    }
}

static struct curl_slist *cookies_of(const struct libcurl *libcurl, CURL *easy)
{
    struct curl_slist *list = NULL;

    libcurl->easy_getinfo(easy, CURLINFO_COOKIELIST, &list);
    return list;
}

static bool has_line(const struct curl_slist *list, const char *line)
{
    while (list && strcmp(list->data, line) != 0)
        list = list->next;
    return list;
}

/* Those that are not among others. */
static void set_cookies(const struct libcurl *libcurl, CURL *easy, const struct curl_slist *list,
                        const struct curl_slist *others)
{
    for (; list; list = list->next)
        if (!has_line(others, list->data))
            libcurl->easy_setopt(easy, CURLOPT_COOKIELIST, list->data);
}

/* A jar of its own with what is in the handle's, that neither reads nor writes the program's files: libcurl
 * below 8.4 has read them again for the copy. */
static void take_cookies(const struct call *call, CURL *twin, struct twin_given *given)
{
    const struct handle *handle = call->handle;
    const struct libcurl *libcurl = handle->libcurl;

    if (!handle->has_jar)
        return;
    given->cookies = cookies_of(libcurl, handle->easy);
    libcurl->easy_setopt(twin, CURLOPT_COOKIEJAR, NULL);
    libcurl->easy_setopt(twin, CURLOPT_COOKIEFILE, NULL);
    libcurl->easy_setopt(twin, CURLOPT_COOKIEFILE, "");
    libcurl->easy_setopt(twin, CURLOPT_COOKIELIST, "ALL");
    set_cookies(libcurl, twin, given->cookies, NULL);
}

/* Of a cookie's line, whose fields are domain, whether hosts below it too, path, secure, expires, name,
 * value: from the field of that number on. NULL: there is none. */
static const char *from_field(const char *line, unsigned number)
{
    while (number-- && line)
        if ((line = strchr(line, '\t')))
            line++;
    return line;
}

static bool has_cookie(const struct curl_slist *list, const char *line)
{
    const char *secure = from_field(line, 3), *name = from_field(line, 5);

    for (; list && secure && name; list = list->next) {
        const char *other = from_field(list->data, 5);
        if (strncmp(list->data, line, (size_t)(secure - line)) == 0 && other &&
            strncmp(other, name, strcspn(name, "\t") + 1) == 0)
            return true;
    }
    return false;
}

static void expire_cookie(const struct libcurl *libcurl, CURL *easy, const char *line)
{
    const char *expires = from_field(line, 4), *name = from_field(line, 5);
    char *text = expires && name ? malloc(strlen(line) + 3) : NULL;

    if (!text)
        return;
    size_t before = (size_t)(expires - line);
    memcpy(text, line, before);
    memcpy(text + before, "1\t", 2); /* since 1970 */
    memcpy(text + before + 2, name, strlen(name) + 1);
    libcurl->easy_setopt(easy, CURLOPT_COOKIELIST, text);
    free(text);
}

/* Others may have changed the jar meanwhile: what this reply has not touched stays as it is there. */
void twin_give_cookies(const struct call *call, CURL *twin, const struct twin_given *given)
{
    const struct handle *handle = call->handle;
    const struct libcurl *libcurl = handle->libcurl;

    if (!handle->has_jar)
        return;
    struct curl_slist *has = cookies_of(libcurl, handle->easy), *list = cookies_of(libcurl, twin);
    set_cookies(libcurl, handle->easy, list, given->cookies);
    for (const struct curl_slist *was = given->cookies; was; was = was->next)
        if (!has_cookie(list, was->data) && has_line(has, was->data))
            expire_cookie(libcurl, handle->easy, was->data);
    free_list(libcurl, has);
    free_list(libcurl, list);
}

/* ---- the copy ---- */

/* Everything of the program's or ours that is not for a second request: its functions, its limits, and what
 * libcurl is to make of the reply, which it makes of it when the program's handle gets it. */
static const struct {
    CURLoption option;
    long value;
} cleared[] = {
    {CURLOPT_READFUNCTION,             0},
    {CURLOPT_READDATA,                 0},
    {CURLOPT_SEEKFUNCTION,             0},
    {CURLOPT_SEEKDATA,                 0},
    {CURLOPT_NOPROGRESS,               1},
    {CURLOPT_XFERINFOFUNCTION,         0},
    {CURLOPT_XFERINFODATA,             0},
    {CURLOPT_VERBOSE,                  0},
    {CURLOPT_DEBUGFUNCTION,            0},
    {CURLOPT_DEBUGDATA,                0},
    {CURLOPT_TRAILERFUNCTION,          0},
    {CURLOPT_HEADER,                   0},
    {CURLOPT_FAILONERROR,              0},
    {CURLOPT_FOLLOWLOCATION,           0},
    {CURLOPT_HTTP_CONTENT_DECODING,    0},
    {CURLOPT_LOW_SPEED_LIMIT,          0},
    {CURLOPT_LOW_SPEED_TIME,           0},
    {CURLOPT_PIPEWAIT,                 0}, /* or it would wait for the connection of the first */
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
};

/* libcurl's clock of a transfer begins when it is added, and 0 would be no limit. */
static long left_ms(uint64_t ends_us)
{
    uint64_t now_us = clock_now_us();

    if (!ends_us)
        return 0;
    return ends_us > now_us + 1000 ? (long)((ends_us - now_us) / 1000) : 1;
}

/* libcurl below 8.5 would have the original use the cookies of its share from here on, whether it has asked
 * to or not. */
static CURL *copy_of(const struct handle *handle)
{
    const struct libcurl *libcurl = handle->libcurl;
    bool is_apart = handle->words[HANDLES_SHARE] && libcurl->version < 0x080500;

    if (is_apart)
        libcurl->easy_setopt(handle->easy, CURLOPT_SHARE, NULL);
    CURL *copy = libcurl->easy_duphandle(handle->easy);
    if (is_apart)
        libcurl->easy_setopt(handle->easy, CURLOPT_SHARE, handle->words[HANDLES_SHARE]);
    return copy;
}

CURL *twin_new(const struct call *call, const struct twin_listener *listener, struct twin_given *given,
               uint64_t ends_us)
{
    const struct libcurl *libcurl = call->handle->libcurl;
    CURL *twin = copy_headers(call, given) ? copy_of(call->handle) : NULL;

    if (!twin) {
        free(given->nodes);
        return NULL;
    }
    for (unsigned i = 0; i < sizeof cleared / sizeof cleared[0]; i++)
        libcurl->easy_setopt(twin, cleared[i].option, cleared[i].value);
    if (libcurl->has_prereq) {
        libcurl->easy_setopt(twin, CURLOPT_PREREQFUNCTION, NULL);
        libcurl->easy_setopt(twin, CURLOPT_PREREQDATA, NULL);
    }
    libcurl->easy_setopt(twin, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)0);
    libcurl->easy_setopt(twin, CURLOPT_HTTPHEADER, given->nodes);
    libcurl->easy_setopt(twin, CURLOPT_HEADERFUNCTION, listener->line);
    libcurl->easy_setopt(twin, CURLOPT_HEADERDATA, listener->data);
    libcurl->easy_setopt(twin, CURLOPT_WRITEFUNCTION, listener->body);
    libcurl->easy_setopt(twin, CURLOPT_WRITEDATA, listener->data);
    libcurl->easy_setopt(twin, CURLOPT_ERRORBUFFER, listener->error);
    libcurl->easy_setopt(twin, CURLOPT_TIMEOUT_MS, left_ms(ends_us));
    take_cookies(call, twin, given);
    return twin;
}

void twin_unlimit(const struct call *call, CURL *twin)
{
    call->handle->libcurl->easy_setopt(twin, CURLOPT_TIMEOUT_MS, 0L);
}

void twin_free(const struct libcurl *libcurl, CURL *twin, struct twin_given *given)
{
    libcurl->easy_cleanup(twin);
    free_list(libcurl, given->cookies);
    free(given->nodes);
    *given = (struct twin_given){0};
}
