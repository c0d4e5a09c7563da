#include "curl/options.h"

#include <string.h>

#include "core/siphash.h"

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
    if (index == HANDLES_URL && handles_take_known_url(handle, text))
        return;
    handle->has_texts |= index != HANDLES_URL;
    if (!handles_keep_string(&handle->texts[index], text))
        handles_keep_string(&handle->texts[index], NULL); /* unknown is safe: then no rule is found */
    if (index == HANDLES_UNIX_SOCKET_PATH ||
        index == HANDLES_ABSTRACT_UNIX_SOCKET) /* they share a place in libcurl */
        handles_keep_string(&handle->texts[HANDLES_UNIX_SOCKET_PATH + HANDLES_ABSTRACT_UNIX_SOCKET - index],
                            NULL);
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
        handle->has_jar =
            word || (handle->has_jar && option != CURLOPT_COOKIEFILE); /* that ends it by NULL */
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
        handles_keep_string(&handle->texts[HANDLES_PROTOCOLS_STR], NULL);
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

void options_note(struct handle *handle, CURLoption option, uint64_t word)
{
    unsigned number = (unsigned)option % OPTION_TYPE;

    if (fingerprint_counts(number))
        note_counting(handle, option, word);
    else
        note(handle, number, option, word);
}
