/*
 * The curl functions that gusset stands in front of. A stub a flavour and function, so that the
 * loader tells us by the symbol's version which libcurl was meant; each only translates: guard, ask,
 * delegate.
 */
#include "curl/easy.h"
#include "curl/handles.h"
#include "curl/request.h"

#define EXPORTED __attribute__((visibility("default")))

/* A call that libcurl makes to itself, or on a handle that it made for itself, is none of ours. */
static bool is_inner(const struct libcurl *libcurl, const void *caller)
{
    return libcurl_holds(libcurl, caller);
}

/* What is behind a call: the library that made the handle, else the one that the caller would have. */
static const struct libcurl *behind(const struct handle *handle, enum libcurl_flavour flavour,
                                    const void *caller)
{
    return handle ? handle->libcurl : libcurl_for(flavour, caller);
}

static CURL *hook_easy_init(enum libcurl_flavour flavour, const void *caller)
{
    const struct libcurl *libcurl = libcurl_for(flavour, caller);

    if (!libcurl)
        return NULL;
    CURL *easy = libcurl->easy_init();
    if (easy && !is_inner(libcurl, caller))
        handles_add(easy, libcurl);
    return easy;
}

static CURL *hook_easy_duphandle(enum libcurl_flavour flavour, CURL *easy, const void *caller)
{
    const struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl)
        return NULL;
    CURL *copy = libcurl->easy_duphandle(easy);
    if (!copy || is_inner(libcurl, caller))
        return copy;
    if (handle) {
        if (handle->is_dressed)
            request_undress_copy(handle, copy);
        handles_copy(handle, copy);
    }
    return copy;
}

static void hook_easy_reset(enum libcurl_flavour flavour, CURL *easy, const void *caller)
{
    struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl)
        return;
    if (handle) {
        easy_leave(handle);
        request_undress(handle);
        handle->is_performing = false;
        handles_reset(handle);
    }
    libcurl->easy_reset(easy);
}

/*
 * Out of the table before libcurl frees it, since its address may be born again on another thread; freed
 * after, since its callbacks may still come until then.
 */
static void hook_easy_cleanup(enum libcurl_flavour flavour, CURL *easy, const void *caller)
{
    struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl)
        return;
    if (handle) {
        easy_leave(handle);
        handles_forget(handle);
    }
    libcurl->easy_cleanup(easy);
    if (handle)
        handles_free(handle);
}

static CURLcode hook_easy_setopt(enum libcurl_flavour flavour, CURL *easy, CURLoption option, uint64_t word,
                                 const void *caller)
{
    struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl)
        return CURLE_FAILED_INIT;
    if (handle && request_has_borrowed(handle, option)) {
        if (handle->is_performing) /* from a callback of its own transfer */
            return request_program_sets(handle, option, word);
        request_undress(handle);
    }
    CURLcode code = libcurl->easy_setopt(easy, option, word);
    if (handle && code == CURLE_OK)
        handles_note(handle, option, word);
    return code;
}

static CURLcode hook_easy_perform(enum libcurl_flavour flavour, CURL *easy, const void *caller)
{
    struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl)
        return CURLE_FAILED_INIT;
    return handle ? easy_perform(handle) : libcurl->easy_perform(easy);
}

/* libcurl's easy loop runs on a multi handle of its own; a program's takes the handle as the program set it.
 */
static CURLMcode hook_multi_add_handle(enum libcurl_flavour flavour, CURLM *multi, CURL *easy,
                                       const void *caller)
{
    const struct libcurl *libcurl = libcurl_for(flavour, caller);

    if (!libcurl || !libcurl->multi_add_handle)
        return CURLM_INTERNAL_ERROR;
    if (is_inner(libcurl, caller)) {
        easy_runs_with(easy, multi);
        return libcurl->multi_add_handle(multi, easy);
    }
    struct handle *handle = handles_find(easy);
    if (handle && !handle->is_performing)
        request_undress(handle);
    return libcurl->multi_add_handle(multi, easy);
}

/* Seen here only where curl_easy_perform comes through the loader to its own loop: a deadline may be nearer.
 */
static CURLMcode hook_multi_poll(enum libcurl_flavour flavour, CURLM *multi, struct curl_waitfd *extra,
                                 unsigned extra_count, int timeout_ms, int *count, const void *caller)
{
    const struct libcurl *libcurl = libcurl_for(flavour, caller);

    if (!libcurl || !libcurl->multi_poll)
        return CURLM_INTERNAL_ERROR;
    if (is_inner(libcurl, caller))
        timeout_ms = easy_poll_ms(multi, timeout_ms);
    return libcurl->multi_poll(multi, extra, extra_count, timeout_ms, count);
}

#define CALLER                            __builtin_return_address(0)
#define VERSIONED(flavour, name, version) __asm__(".symver " #name "__" #flavour ",curl_" #name "@" version);
#define VERSION_openssl                   "CURL_OPENSSL_4"
#define VERSION_gnutls                    "CURL_GNUTLS_3"
#define VERSION_nss                       "CURL_NSS_3"
#define VERSION_plain                     "" /* a hidden base: taken by unversioned references only */

/* A variadic word is passed as an ordinary one on x86-64 and aarch64, so setopt needs no va_list. */
#define STUBS(flavour, symbol_version)                                                                       \
    EXPORTED CURL *easy_init__##flavour(void);                                                               \
    EXPORTED CURL *easy_init__##flavour(void)                                                                \
    {                                                                                                        \
        return hook_easy_init(LIBCURL_##flavour, CALLER);                                                    \
    }                                                                                                        \
    EXPORTED CURL *easy_duphandle__##flavour(CURL *easy);                                                    \
    EXPORTED CURL *easy_duphandle__##flavour(CURL *easy)                                                     \
    {                                                                                                        \
        return hook_easy_duphandle(LIBCURL_##flavour, easy, CALLER);                                         \
    }                                                                                                        \
    EXPORTED void easy_reset__##flavour(CURL *easy);                                                         \
    EXPORTED void easy_reset__##flavour(CURL *easy)                                                          \
    {                                                                                                        \
        hook_easy_reset(LIBCURL_##flavour, easy, CALLER);                                                    \
    }                                                                                                        \
    EXPORTED void easy_cleanup__##flavour(CURL *easy);                                                       \
    EXPORTED void easy_cleanup__##flavour(CURL *easy)                                                        \
    {                                                                                                        \
        hook_easy_cleanup(LIBCURL_##flavour, easy, CALLER);                                                  \
    }                                                                                                        \
    EXPORTED CURLcode easy_setopt__##flavour(CURL *easy, CURLoption option, uint64_t word);                  \
    EXPORTED CURLcode easy_setopt__##flavour(CURL *easy, CURLoption option, uint64_t word)                   \
    {                                                                                                        \
        return hook_easy_setopt(LIBCURL_##flavour, easy, option, word, CALLER);                              \
    }                                                                                                        \
    EXPORTED CURLcode easy_perform__##flavour(CURL *easy);                                                   \
    EXPORTED CURLcode easy_perform__##flavour(CURL *easy)                                                    \
    {                                                                                                        \
        return hook_easy_perform(LIBCURL_##flavour, easy, CALLER);                                           \
    }                                                                                                        \
    EXPORTED CURLMcode multi_add_handle__##flavour(CURLM *multi, CURL *easy);                                \
    EXPORTED CURLMcode multi_add_handle__##flavour(CURLM *multi, CURL *easy)                                 \
    {                                                                                                        \
        return hook_multi_add_handle(LIBCURL_##flavour, multi, easy, CALLER);                                \
    }                                                                                                        \
    EXPORTED CURLMcode multi_poll__##flavour(CURLM *multi, struct curl_waitfd *extra, unsigned count,        \
                                             int timeout_ms, int *ready);                                    \
    EXPORTED CURLMcode multi_poll__##flavour(CURLM *multi, struct curl_waitfd *extra, unsigned count,        \
                                             int timeout_ms, int *ready)                                     \
    {                                                                                                        \
        return hook_multi_poll(LIBCURL_##flavour, multi, extra, count, timeout_ms, ready, CALLER);           \
    }                                                                                                        \
    VERSIONED(flavour, easy_init, VERSION_##flavour)                                                         \
    VERSIONED(flavour, easy_duphandle, VERSION_##flavour)                                                    \
    VERSIONED(flavour, easy_reset, VERSION_##flavour)                                                        \
    VERSIONED(flavour, easy_cleanup, VERSION_##flavour)                                                      \
    VERSIONED(flavour, easy_setopt, VERSION_##flavour)                                                       \
    VERSIONED(flavour, easy_perform, VERSION_##flavour)                                                      \
    VERSIONED(flavour, multi_add_handle, VERSION_##flavour)                                                  \
    VERSIONED(flavour, multi_poll, VERSION_##flavour)

LIBCURL_FLAVOURS(STUBS)
