#include "curl/handles.h"

#include <stddef.h>
#include <stdio.h> /* stdin and stdout are libcurl's defaults for the data of its callbacks */
#include <stdlib.h>
#include <string.h>

#include "core/method.h"
#include "curl/call.h"
#include "curl/options.h"
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

bool handles_keep_string(struct handles_string *string, const char *text)
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
        handles_keep_string(&handle->texts[HANDLES_URL], NULL);
    for (int i = 0; handle->has_texts && i < HANDLES_TEXT_COUNT; i++)
        handles_keep_string(&handle->texts[i], NULL);
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
    options_note(to, CURLOPT_SHARE, 0); /* no duplicate has its original's share */
    for (int i = 0; i < HANDLES_TEXT_COUNT && whole; i++)
        whole = handles_keep_string(&to->texts[i], from->texts[i].bytes);
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
        options_note(handle, CURLOPT_SHARE, share);
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
        handles_keep_string(&handle->known_url, NULL);
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

bool handles_take_known_url(struct handle *handle, const char *url)
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
