#include "curl/handles.h"

#include <stddef.h>
#include <stdio.h> /* stdin and stdout are libcurl's defaults for the data of its callbacks */
#include <stdlib.h>
#include <string.h>

#include "core/method.h"
#include "core/siphash.h"
#include "curl/call.h"
#include "curl/spare.h"
#include "curl/told.h"

struct registry handles_known = REGISTRY_INIT(handles_known);

static void discard(struct handle *handle)
{
    for (int i = 0; i < HANDLES_TEXT_COUNT; i++)
        free(handle->texts[i].bytes);
    free(handle->known_url.bytes);
    if (handle->told)
        told_forget(handle);
    call_free(handle->call);
    free(handle);
}

static void set_defaults(struct handle *handle)
{
    memset(handle->words, 0, sizeof handle->words);
    handle->words[HANDLES_WRITEDATA] = (uint64_t)(uintptr_t)stdout;
    handle->words[HANDLES_READDATA] = (uint64_t)(uintptr_t)stdin;
    handle->words[HANDLES_NOPROGRESS] = 1;
    handle->words[HANDLES_HTTPAUTH] = CURLAUTH_BASIC;
    handle->words[HANDLES_HEADEROPT] = CURLHEADER_SEPARATE;
    handle->words[HANDLES_POSTFIELDSIZE_LARGE] = (uint64_t)-1;
    handle->words[HANDLES_MAXCONNECTS] = POOL_DEFAULT_MAXCONNECTS;
    handle->words[HANDLES_HTTP_TRANSFER_DECODING] = handle->words[HANDLES_SSL_VERIFYPEER] = 1;
    handle->words[HANDLES_SSL_VERIFYHOST] = 2;
    fingerprint_clear(&handle->fingerprint);
    handle->request = HANDLES_GET;
    handle->has_no_body = handle->has_credentials = handle->has_jar = handle->is_single = false;
    handle->target_is_read = handle->is_settled = false;
}

static struct handle *make(void)
{
    struct handle *handle = malloc(sizeof *handle);

    if (handle)
        memset(handle, 0, offsetof(struct handle, target)); /* that is read before it is used */
    return handle;
}

void handles_add(CURL *easy, const struct libcurl *libcurl)
{
    struct handle *handle = spare_take();

    if (!handle && !(handle = make()))
        return;
    handle->easy = easy;
    handle->libcurl = libcurl;
    handle->resolved = 0;
    set_defaults(handle);
    if (!registry_put(&handles_known, easy, handle))
        discard(handle);
}

static bool keep_string(struct handles_string *string, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;

    if (!text) {
        free(string->bytes);
        *string = (struct handles_string){0};
        return true;
    }
    if (size > string->room) {
        char *grown = realloc(string->bytes, size);
        if (!grown)
            return false;
        string->bytes = grown;
        string->room = size;
    }
    memcpy(string->bytes, text, size);
    return true;
}

static void forget_texts(struct handle *handle)
{
    if (handle->texts[HANDLES_URL].bytes)
        keep_string(&handle->texts[HANDLES_URL], NULL);
    for (int i = 0; handle->has_texts && i < HANDLES_TEXT_COUNT; i++)
        keep_string(&handle->texts[i], NULL);
    handle->has_texts = false;
}

void handles_copy(const struct handle *from, CURL *easy)
{
    handles_add(easy, from->libcurl);
    struct handle *to = handles_find(easy);
    bool whole = to != NULL;

    if (!to)
        return;
    to->request = from->request;
    to->has_no_body = from->has_no_body;
    to->has_credentials = from->has_credentials;
    to->has_jar = from->has_jar;
    to->is_single = from->is_single;
    to->has_texts = true;
    to->resolved = from->resolved;
    memcpy(to->words, from->words, sizeof to->words);
    to->fingerprint = from->fingerprint;
    handles_note(to, CURLOPT_SHARE, 0); /* no duplicate has its original's share */
    for (int i = 0; i < HANDLES_TEXT_COUNT && whole; i++)
        whole = keep_string(&to->texts[i], from->texts[i].bytes);
    if (!whole) { /* a handle half known is better unknown */
        handles_forget(to);
        handles_free(to);
    }
}

void handles_reset(struct handle *handle)
{
    bool has_jar = handle->has_jar, is_single = handle->is_single;
    uint64_t share = handle->words[HANDLES_SHARE];

    if (handle->told)
        told_forget(handle);
    forget_texts(handle);
    set_defaults(handle);
    handle->has_jar = has_jar; /* libcurl keeps cookies, what it knows by HSTS and Alt-Svc, and the share */
    handle->is_single = is_single;
    if (share)
        handles_note(handle, CURLOPT_SHARE, share);
}

void handles_forget(struct handle *handle)
{
    registry_remove(&handles_known, handle->easy);
}

/* Whether the URL alone says where the transfer goes. */
static bool is_url_alone(const struct handle *handle)
{
    if (handle->words[HANDLES_PORT] || handle->words[HANDLES_CURLU])
        return false;
    return !handle->has_texts || (!handle->texts[HANDLES_DEFAULT_PROTOCOL].bytes &&
                                  !handle->texts[HANDLES_UNIX_SOCKET_PATH].bytes &&
                                  !handle->texts[HANDLES_ABSTRACT_UNIX_SOCKET].bytes);
}

static void forget_known_url(struct handle *handle)
{
    if (handle->known_url.bytes)
        keep_string(&handle->known_url, NULL);
}

/* Keeps what was learnt for the URL, should the next handle have the same one. */
static void keep_known_url(struct handle *handle)
{
    forget_known_url(handle);
    if (!handle->call || handle->target_is_new || !handle->target_is_read || !handle->target_is_known ||
        !is_url_alone(handle))
        return;
    handle->known_url = handle->texts[HANDLES_URL];
    handle->texts[HANDLES_URL] = (struct handles_string){0};
}

/* The URL is the one that a handle before had: its text and target are this one's. */
static bool takes_known_url(struct handle *handle, const char *url)
{
    if (!url || !handle->known_url.bytes || handle->texts[HANDLES_URL].bytes ||
        strcmp(url, handle->known_url.bytes) != 0 || !is_url_alone(handle))
        return false;
    handle->texts[HANDLES_URL] = handle->known_url;
    handle->known_url = (struct handles_string){0};
    handle->target_is_read = handle->target_is_known = true;
    handle->target_is_new = false;
    return true;
}

/* A handle that is still performing was left by longjmp, or its thread is gone: too odd to be used again. */
void handles_free(struct handle *handle)
{
    pool_free(handle);
    if (!handle->call || handle->is_performing) {
        discard(handle);
        return;
    }
    if (handle->told)
        told_forget(handle);
    keep_known_url(handle);
    forget_texts(handle);
    handle->is_dressed = handle->is_settled = false;
    call_retire(handle->call);
    struct handle *older = spare_put(handle);
    if (older)
        discard(older);
}

/*
 * Options by number, without the type that is its thousands: where the value is kept (words: 1 + the place),
 * and what else there is to do.
 */
enum { OPTIONS = 512, OPTION_TYPE = 10000 };
enum effect {
    EFFECT_NONE,
    EFFECT_SECONDS,
    EFFECT_TEXT,
    EFFECT_TARGET,
    EFFECT_REQUEST,
    EFFECT_SIGNED,
    EFFECT_CREDENTIALS,
    EFFECT_JAR_FILE, /* of cookies that the program has, perhaps */
    EFFECT_JAR,
    EFFECT_SINGLE,
    EFFECT_DEPENDS,
    EFFECT_PROXYAUTH,
    EFFECT_PROTOCOLS,
    EFFECT_RESOLVE
};

#define AT(name) [CURLOPT_##name % OPTION_TYPE]
#define X(name)  AT(name) = 1 + HANDLES_##name,
static const uint8_t words[OPTIONS] = {
    HANDLES_BORROWED(X) HANDLES_NOTED(X) AT(TIMEOUT) = 1 + HANDLES_TIMEOUT_MS,
    AT(CONNECTTIMEOUT) = 1 + HANDLES_CONNECTTIMEOUT_MS,
    AT(POSTFIELDSIZE) = 1 + HANDLES_POSTFIELDSIZE_LARGE,
    AT(RESUME_FROM) = 1 + HANDLES_RESUME_FROM_LARGE,
};
#undef X
#define X(name) AT(name) = HANDLES_##name,
static const uint8_t texts[OPTIONS] = {HANDLES_TEXTS(X)};
#undef X
/* clang-format off */
#define X(name) AT(name) = EFFECT_TEXT,
#define Y(name) AT(name) = EFFECT_SINGLE,
static const uint8_t effects[OPTIONS] = {
    HANDLES_TEXTS(X)
    HANDLES_SINGLE(Y)
    AT(HTTPGET) = EFFECT_REQUEST,
    AT(POST) = EFFECT_REQUEST,
    AT(POSTFIELDS) = EFFECT_REQUEST,
    AT(HTTPPOST) = EFFECT_REQUEST,
    AT(COPYPOSTFIELDS) = EFFECT_REQUEST,
    AT(MIMEPOST) = EFFECT_REQUEST,
    AT(UPLOAD) = EFFECT_REQUEST,
    AT(PUT) = EFFECT_REQUEST,
    AT(NOBODY) = EFFECT_REQUEST,
    AT(USERPWD) = EFFECT_CREDENTIALS,
    AT(USERNAME) = EFFECT_CREDENTIALS,
    AT(XOAUTH2_BEARER) = EFFECT_CREDENTIALS,
    AT(NETRC) = EFFECT_CREDENTIALS,
    AT(SSLCERT) = EFFECT_CREDENTIALS,
    AT(SSLCERT_BLOB) = EFFECT_CREDENTIALS,
    AT(COOKIE) = EFFECT_CREDENTIALS,
    AT(COOKIEFILE) = EFFECT_JAR_FILE,
    AT(COOKIEJAR) = EFFECT_JAR_FILE,
    AT(COOKIELIST) = EFFECT_JAR,
    AT(TLSAUTH_USERNAME) = EFFECT_CREDENTIALS,
    AT(STREAM_DEPENDS) = EFFECT_DEPENDS,
    AT(STREAM_DEPENDS_E) = EFFECT_DEPENDS,
    AT(TIMEOUT) = EFFECT_SECONDS,
    AT(CONNECTTIMEOUT) = EFFECT_SECONDS,
    AT(PORT) = EFFECT_TARGET,
    AT(CURLU) = EFFECT_TARGET,
    AT(PROXYAUTH) = EFFECT_PROXYAUTH,
    AT(AWS_SIGV4) = EFFECT_SIGNED,
    AT(PROTOCOLS) = EFFECT_PROTOCOLS,
    AT(RESOLVE) = EFFECT_RESOLVE,
};
#undef X
#undef Y
/* clang-format on */

static enum handles_request without_body(const struct handle *handle)
{
    return handle->has_no_body ? HANDLES_HEAD : HANDLES_GET;
}

/* What each of these does to the kind of request is lib/setopt.c's, as of 7.88 (unchanged in 8.x). */
static __attribute__((noinline)) void note_request(struct handle *handle, CURLoption option, uint64_t word)
{
    bool on = (long)word != 0;

    switch ((int)option) {
    case CURLOPT_HTTPGET:
        if (on)
            handle->request = HANDLES_GET;
        handle->has_no_body &= !on;
        break;
    case CURLOPT_POST:
        handle->has_no_body &= !on;
        handle->request = on ? HANDLES_POST : without_body(handle);
        break;
    case CURLOPT_POSTFIELDS:
    case CURLOPT_COPYPOSTFIELDS:
        handle->words[HANDLES_POSTFIELDS] = word;
        handle->request = HANDLES_POST;
        break;
    case CURLOPT_HTTPPOST:
    case CURLOPT_MIMEPOST:
        handle->request = HANDLES_FORM;
        handle->has_no_body = false;
        break;
    case CURLOPT_UPLOAD:
    case CURLOPT_PUT:
        handle->has_no_body &= !on;
        handle->request = on ? HANDLES_PUT : without_body(handle); /* curl -I sets CURLOPT_UPLOAD to 0 */
        break;
    case CURLOPT_NOBODY:
        handle->has_no_body = on;
        if (on)
            handle->request = HANDLES_HEAD;
        else if (handle->request == HANDLES_HEAD)
            handle->request = HANDLES_GET;
        break;
    }
}

static __attribute__((noinline)) void note_text(struct handle *handle, enum handles_text index,
                                                const char *text)
{
    if (index == HANDLES_URL && takes_known_url(handle, text))
        return;
    handle->has_texts |= index != HANDLES_URL;
    if (!keep_string(&handle->texts[index], text))
        keep_string(&handle->texts[index], NULL); /* unknown is safe: then no rule is found */
    if (index == HANDLES_UNIX_SOCKET_PATH ||
        index == HANDLES_ABSTRACT_UNIX_SOCKET) /* they share a place in libcurl */
        keep_string(&handle->texts[HANDLES_UNIX_SOCKET_PATH + HANDLES_ABSTRACT_UNIX_SOCKET - index], NULL);
    if (index == HANDLES_PROTOCOLS_STR) /* so do these */
        handle->words[HANDLES_PROTOCOLS] = 0;
    if (index != HANDLES_CUSTOMREQUEST && index != HANDLES_PROXY && index != HANDLES_NOPROXY &&
        index != HANDLES_PROTOCOLS_STR && index != HANDLES_RANGE)
        handle->target_is_read = false;
}

/*
 * libcurl reads the list once and remembers what it says, as long as the handle lives; then the program may
 * free it.
 */
static __attribute__((noinline)) void note_resolve(struct handle *handle, const struct curl_slist *list)
{
    for (; list; list = list->next)
        if (list->data)
            handle->resolved = siphash((uint64_t[2]){handle->resolved, 0}, list->data, strlen(list->data));
}

/* libcurl keeps a list in the one that others depend on, and a copy's is the same: its clean-up frees it. */
static __attribute__((noinline)) void note_depends(struct handle *handle, CURL *parent)
{
    struct handle *other = parent ? handles_find(parent) : NULL;

    handle->is_single |= parent != NULL;
    if (other)
        other->is_single = true;
}

static inline void note(struct handle *handle, unsigned number, CURLoption option, uint64_t word)
{
    if (number >= OPTIONS)
        return;
    handle->is_settled = false;
    if (words[number])
        handle->words[words[number] - 1] = effects[number] == EFFECT_SECONDS ? word * 1000 : word;
    switch ((enum effect)effects[number]) {
    case EFFECT_NONE:
    case EFFECT_SECONDS:
        return;
    case EFFECT_TEXT:
        note_text(handle, texts[number], (const char *)(uintptr_t)word);
        return;
    case EFFECT_TARGET:
        handle->target_is_read = false;
        return;
    case EFFECT_CREDENTIALS:
        handle->has_credentials |= word != 0;
        return;
    case EFFECT_REQUEST:
        note_request(handle, option, word);
        return;
    case EFFECT_JAR_FILE:
        handle->has_credentials |= word != 0;
        handle->has_jar = word || (handle->has_jar && option != CURLOPT_COOKIEFILE); /* that ends it by NULL */
        return;
    case EFFECT_JAR: /* of a share's jar it makes no use, but of one of its own */
        handle->has_jar |= word && !handle->words[HANDLES_SHARE];
        handle->is_single |= word && handle->words[HANDLES_SHARE];
        return;
    case EFFECT_SINGLE:
        handle->is_single |= word != 0;
        return;
    case EFFECT_DEPENDS:
        note_depends(handle, (CURL *)(uintptr_t)word);
        return;
    case EFFECT_PROXYAUTH:
        handle->is_single |= handles_binds_connection(word);
        return;
    case EFFECT_RESOLVE:
        note_resolve(handle, (const struct curl_slist *)(uintptr_t)word);
        return;
    case EFFECT_PROTOCOLS:
        keep_string(&handle->texts[HANDLES_PROTOCOLS_STR], NULL);
        return;
    case EFFECT_SIGNED: /* what libcurl itself makes of it */
        handle->has_credentials |= word != 0;
        if (word)
            handle->words[HANDLES_HTTPAUTH] = CURLAUTH_AWS_SIGV4;
        return;
    }
}

static __attribute__((noinline)) void note_counting(struct handle *handle, CURLoption option, uint64_t word)
{
    fingerprint_note(&handle->fingerprint, option, word);
    note(handle, (unsigned)option % OPTION_TYPE, option, word);
}

void handles_note(struct handle *handle, CURLoption option, uint64_t word)
{
    unsigned number = (unsigned)option % OPTION_TYPE;

    if (fingerprint_counts(number))
        note_counting(handle, option, word);
    else
        note(handle, number, option, word);
}

/* A transfer over a unix socket goes there, whatever host its URL names; an abstract one no rule can name. */
static bool read_unix_target(struct handle *handle)
{
    const char *path = handle->texts[HANDLES_UNIX_SOCKET_PATH].bytes;

    if (handle->texts[HANDLES_ABSTRACT_UNIX_SOCKET].bytes)
        return false;
    return place_from_path(&handle->target.place, path, strlen(path));
}

static bool read_url(struct handle *handle)
{
    const char *scheme = handle->texts[HANDLES_DEFAULT_PROTOCOL].bytes;
    uint16_t port = (uint16_t)handle->words[HANDLES_PORT];
    CURLU *parts = handles_pointer(handle, HANDLES_CURLU);
    char *url = NULL;
    bool known;

    if (!parts)
        return handle->texts[HANDLES_URL].bytes &&
               target_read(&handle->target, handle->libcurl, handle->texts[HANDLES_URL].bytes, scheme, port);
    if (handle->libcurl->url_get(parts, CURLUPART_URL, &url, 0) != CURLUE_OK)
        return false;
    known = target_read(&handle->target, handle->libcurl, url, scheme, port);
    handle->libcurl->free(url);
    return known;
}

static bool read_target(struct handle *handle)
{
    bool by_unix =
        handle->texts[HANDLES_UNIX_SOCKET_PATH].bytes || handle->texts[HANDLES_ABSTRACT_UNIX_SOCKET].bytes;

    return read_url(handle) && (!by_unix || read_unix_target(handle));
}

/* A CURLU belongs to the program, which may change it at any time without telling us. */
const struct target *handles_target(struct handle *handle)
{
    if (!handle->target_is_read || handle->words[HANDLES_CURLU]) {
        forget_known_url(handle);
        handle->target_is_known = read_target(handle);
        handle->target_is_read = handle->target_is_new = true;
    }
    return handle->target_is_known ? &handle->target : NULL;
}

uint32_t handles_method(const struct handle *handle)
{
    static const uint32_t methods[] = {
        [HANDLES_GET] = METHOD_GET,   [HANDLES_HEAD] = METHOD_HEAD, [HANDLES_POST] = METHOD_POST,
        [HANDLES_FORM] = METHOD_POST, [HANDLES_PUT] = METHOD_PUT,
    };
    const char *custom = handle->texts[HANDLES_CUSTOMREQUEST].bytes;

    if (custom)
        return method_from_name(custom, strlen(custom));
    return methods[handle->request];
}
