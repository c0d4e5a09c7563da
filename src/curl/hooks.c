/*
 * The curl functions that gusset stands in front of. A stub a flavour and function, so that the
 * loader tells us by the symbol's version which libcurl was meant; each only translates: guard, ask,
 * delegate.
 */
#include "curl/easy.h"
#include "curl/handles.h"
#include "curl/hedge.h"
#include "curl/multi.h"
#include "curl/request.h"
#include "curl/stubs.h"
#include "curl/told.h"

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
    if (easy && !stubs_is_inner(libcurl, caller))
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
    if (!copy)
        return NULL;
    if (handle && (handle->is_dressed || handle->is_refused))
        request_undress_copy(handle, copy);
    if (handle && !stubs_is_inner(libcurl, caller)) /* libcurl's own is for a stream that a server pushed */
        handles_copy(handle, copy);
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
        if (handle->call) {
            hedge_drop(handle->call);
            gate_give_up(&handle->call->gate);
        }
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
        multi_forget(handle);
        handles_forget(handle);
    }
    libcurl->easy_cleanup(easy);
    if (handle)
        handles_free(handle);
}

static __attribute__((noinline)) CURLcode set_any(CURL *easy, CURLoption option, uint64_t word,
                                                  enum libcurl_flavour flavour, const void *caller)
{
    struct handle *handle = handles_find(easy);

    if (handle)
        return request_setopt(handle, option, word);
    const struct libcurl *libcurl = libcurl_for(flavour, caller);
    return libcurl ? libcurl->easy_setopt(easy, option, word) : CURLE_FAILED_INIT;
}

STUBS_INLINE CURLcode hook_easy_setopt(enum libcurl_flavour flavour, CURL *easy, CURLoption option,
                                       uint64_t word, const void *caller)
{
    struct handle *handle = handles_find_home(easy);
    return handle ? request_setopt(handle, option, word) : set_any(easy, option, word, flavour, caller);
}

static __attribute__((noinline)) CURLcode perform_any(CURL *easy, enum libcurl_flavour flavour,
                                                      const void *caller)
{
    struct handle *handle = handles_find(easy);

    if (handle)
        return easy_perform(handle);
    const struct libcurl *libcurl = libcurl_for(flavour, caller);
    return libcurl ? libcurl->easy_perform(easy) : CURLE_FAILED_INIT;
}

STUBS_INLINE CURLcode hook_easy_perform(enum libcurl_flavour flavour, CURL *easy, const void *caller)
{
    struct handle *handle = handles_find_home(easy);
    return handle ? easy_perform(handle) : perform_any(easy, flavour, caller);
}

static CURLcode hook_easy_pause(enum libcurl_flavour flavour, CURL *easy, int which, const void *caller)
{
    struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl || !libcurl->easy_pause)
        return CURLE_FAILED_INIT;
    if (handle && handle->is_performing && !handle->call->gate.shadow)
        return request_pause(handle, which);
    return libcurl->easy_pause(easy, which);
}

/* What is told is an address to write to, whatever its type. */
STUBS_INLINE CURLcode hook_easy_getinfo(enum libcurl_flavour flavour, CURL *easy, CURLINFO info, void *out,
                                        const void *caller)
{
    const struct handle *handle = handles_find(easy);
    const struct libcurl *libcurl = behind(handle, flavour, caller);

    if (!libcurl)
        return CURLE_FAILED_INIT;
    return handle && handle->told ? told_info(handle, info, out) : libcurl->easy_getinfo(easy, info, out);
}

/* A variadic word is passed as an ordinary one on x86-64 and aarch64, so setopt needs no va_list. */
#define STUBS(flavour, version)                                                                              \
    STUBS_DEFINE(flavour, return, CURL *, easy_init, (void), STUBS_CALLER)                                   \
    STUBS_DEFINE(flavour, return, CURL *, easy_duphandle, (CURL * easy), easy, STUBS_CALLER)                 \
    STUBS_DEFINE(flavour, , void, easy_reset, (CURL * easy), easy, STUBS_CALLER)                             \
    STUBS_DEFINE(flavour, , void, easy_cleanup, (CURL * easy), easy, STUBS_CALLER)                           \
    STUBS_DEFINE(flavour, return, CURLcode, easy_setopt, (CURL * easy, CURLoption option, uint64_t word),    \
                 easy, option, word, STUBS_CALLER)                                                           \
    STUBS_DEFINE(flavour, return, CURLcode, easy_getinfo, (CURL * easy, CURLINFO info, void *out), easy,     \
                 info, out, STUBS_CALLER)                                                                    \
    STUBS_DEFINE(flavour, return, CURLcode, easy_pause, (CURL * easy, int which), easy, which, STUBS_CALLER) \
    STUBS_DEFINE(flavour, return, CURLcode, easy_perform, (CURL * easy), easy, STUBS_CALLER)
LIBCURL_FLAVOURS(STUBS)
