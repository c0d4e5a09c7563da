/*
 * The functions of the multi interface that gusset stands in front of: guard, ask, delegate. libcurl's easy
 * loop comes through here too, on a multi handle of its own.
 */
#include "curl/easy.h"
#include "curl/loop.h"
#include "curl/multi.h"
#include "curl/request.h"
#include "curl/stubs.h"
#include "sys/linker.h"

/* The program's multi handle; NULL when it is libcurl's own, or its birth was not seen: then it is left
 * alone. One that is known knows its library, too. */
static struct multi *find(CURLM *real, const void *caller)
{
    struct multi *multi = multi_find(real);
    return multi && !stubs_is_inner(multi->libcurl, caller) ? multi : NULL;
}

/* The same in few steps, for the one that the thread has asked for before. */
static inline struct multi *find_last(CURLM *real, const void *caller)
{
    struct multi *multi = multi_find_last(real);
    return multi && !stubs_is_inner(multi->libcurl, caller) ? multi : NULL;
}

static CURLM *hook_multi_init(enum libcurl_flavour flavour, const void *caller)
{
    const struct libcurl *libcurl = libcurl_for(flavour, caller);

    if (!libcurl || !libcurl->multi_init)
        return NULL;
    CURLM *real = libcurl->multi_init();
    if (real && !stubs_is_inner(libcurl, caller))
        multi_add(real, libcurl);
    return real;
}

/* A handle in a multi handle that nobody knows runs as the program set it. */
static CURLMcode add_unknown(const struct libcurl *libcurl, CURLM *real, CURL *easy, const void *caller)
{
    struct handle *handle = handles_find(easy);

    if (handle && !stubs_is_inner(libcurl, caller) && !handle->is_performing) {
        request_undress(handle);
        pool_stay_out(handle);
    }
    return libcurl->multi_add_handle(real, easy);
}

/*
 * What is out of the short ways takes the program's arguments first, where they already are.
 */
static __attribute__((noinline)) CURLMcode add_other(CURLM *real, CURL *easy, enum libcurl_flavour flavour,
                                                     const void *caller)
{
    struct multi *multi = find(real, caller);

    if (multi)
        return multi_join(multi, easy);
    const struct libcurl *libcurl = libcurl_for(flavour, caller);
    return libcurl && libcurl->multi_add_handle ? add_unknown(libcurl, real, easy, caller)
                                                : CURLM_INTERNAL_ERROR;
}

static __attribute__((noinline)) CURLMcode add_any(CURLM *real, CURL *easy, enum libcurl_flavour flavour,
                                                   const void *caller)
{
    struct multi *multi = find_last(real, caller);
    return multi ? multi_join(multi, easy) : add_other(real, easy, flavour, caller);
}

/* libcurl's easy loop comes here for each transfer: its way is short. */
STUBS_INLINE CURLMcode hook_multi_add_handle(enum libcurl_flavour flavour, CURLM *real, CURL *easy,
                                             const void *caller)
{
    if (!libcurl_is_caller(flavour, caller))
        return add_any(real, easy, flavour, caller);
    easy_runs_with(easy, real);
    return libcurl_known(flavour)->multi_add_handle(real, easy);
}

/* Two words of poll's that fit into one, so that all of its arguments stay in registers. */
struct wait {
    int timeout_ms;
    enum libcurl_flavour flavour;
};

/* Where curl_easy_perform comes through the loader to its own loop, a limit of its call may be nearer. */
static __attribute__((noinline)) CURLMcode poll_other(CURLM *real, struct curl_waitfd *extra, unsigned count,
                                                      struct wait wait, int *ready, const void *caller)
{
    struct multi *multi = find(real, caller);

    if (multi && multi->libcurl->multi_poll)
        return loop_poll(multi, extra, count, wait.timeout_ms, ready);
    const struct libcurl *libcurl = libcurl_for(wait.flavour, caller);
    if (!libcurl || !libcurl->multi_poll)
        return CURLM_INTERNAL_ERROR;
    if (stubs_is_inner(libcurl, caller))
        wait.timeout_ms = easy_poll_ms(real, wait.timeout_ms);
    return libcurl->multi_poll(real, extra, count, wait.timeout_ms, ready);
}

static __attribute__((noinline)) CURLMcode poll_any(CURLM *real, struct curl_waitfd *extra, unsigned count,
                                                    struct wait wait, int *ready, const void *caller)
{
    struct multi *multi = find_last(real, caller);

    if (multi && loop_may_wait(multi, wait.timeout_ms) && multi->libcurl->multi_poll)
        return multi->libcurl->multi_poll(real, extra, count, wait.timeout_ms, ready);
    return poll_other(real, extra, count, wait, ready, caller);
}

/* The wait of an easy call whose limits are far: it may be as long as libcurl wants it. */
STUBS_INLINE CURLMcode hook_multi_poll(enum libcurl_flavour flavour, CURLM *real, struct curl_waitfd *extra,
                                       unsigned count, int timeout_ms, int *ready, const void *caller)
{
    if (libcurl_is_caller(flavour, caller) && (!easy_running || easy_may_wait(real, timeout_ms)))
        return libcurl_known(flavour)->multi_poll(real, extra, count, timeout_ms, ready);
    return poll_any(real, extra, count, (struct wait){timeout_ms, flavour}, ready, caller);
}

static CURL **hook_multi_get_handles(enum libcurl_flavour flavour, CURLM *real, const void *caller)
{
    struct multi *multi = find(real, caller);

    if (multi && multi->libcurl->multi_get_handles)
        return loop_get_handles(multi);
    const struct libcurl *libcurl = libcurl_for(flavour, caller);
    return libcurl && libcurl->multi_get_handles ? libcurl->multi_get_handles(real) : NULL;
}

static __attribute__((noinline)) CURLMcode clean_up(CURLM *real, enum libcurl_flavour flavour,
                                                    const void *caller)
{
    struct multi *multi = find(real, caller);

    if (multi)
        return multi_cleanup(multi);
    const struct libcurl *libcurl = libcurl_for(flavour, caller);
    return libcurl && libcurl->multi_cleanup ? libcurl->multi_cleanup(real) : CURLM_INTERNAL_ERROR;
}

STUBS_INLINE CURLMcode hook_multi_cleanup(enum libcurl_flavour flavour, CURLM *real, const void *caller)
{
    if (libcurl_is_caller(flavour, caller))
        return libcurl_known(flavour)->multi_cleanup(real);
    return clean_up(real, flavour, caller);
}

/* Of libcurl 8.17; not in the table of its functions, so that an older one is not searched for it in vain. */
static CURLMcode notify(enum libcurl_flavour flavour, CURLM *real, unsigned type, bool is_wanted,
                        const void *caller)
{
    const char *name = is_wanted ? "curl_multi_notify_enable" : "curl_multi_notify_disable";
    struct multi *multi = find(real, caller);
    const struct libcurl *libcurl = multi ? multi->libcurl : libcurl_for(flavour, caller);
    CURLMcode (*function)(CURLM *, unsigned) =
        libcurl ? linker_find(libcurl->library, name, libcurl->symbol_version) : NULL;
    CURLMcode code = function ? function(real, type) : CURLM_UNKNOWN_OPTION;

    if (multi && code == CURLM_OK)
        notices_want(multi, type, is_wanted);
    return code;
}

static CURLMcode hook_multi_notify_enable(enum libcurl_flavour flavour, CURLM *real, unsigned type,
                                          const void *caller)
{
    return notify(flavour, real, type, true, caller);
}

static CURLMcode hook_multi_notify_disable(enum libcurl_flavour flavour, CURLM *real, unsigned type,
                                           const void *caller)
{
    return notify(flavour, real, type, false, caller);
}

/*
 * The others differ in nothing but what they are asked: X(result, what a libcurl without it answers, ours,
 * its name, parameters, arguments behind the multi handle).
 */
/* clang-format off */
#define ASKED(X)                                                                                   \
    X(CURLMcode, CURLM_INTERNAL_ERROR, multi_leave, multi_remove_handle,                           \
      (CURLM *real, CURL *easy), easy)                                                             \
    X(CURLMcode, CURLM_INTERNAL_ERROR, multi_setopt, multi_setopt,                                 \
      (CURLM *real, CURLMoption option, uint64_t word), option, word)                              \
    X(CURLMsg *, NULL, multi_read, multi_info_read,                                                \
      (CURLM *real, int *left), left)                                                              \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_perform, multi_perform,                                \
      (CURLM *real, int *running), running)                                                        \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_socket, multi_socket,                                  \
      (CURLM *real, curl_socket_t socket, int *running), socket, running)                          \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_socket_action, multi_socket_action,                    \
      (CURLM *real, curl_socket_t socket, int events, int *running), socket, events, running)      \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_socket_all, multi_socket_all,                          \
      (CURLM *real, int *running), running)                                                        \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_wait, multi_wait,                                      \
      (CURLM *real, struct curl_waitfd *extra, unsigned count, int timeout_ms, int *ready),        \
      extra, count, timeout_ms, ready)                                                             \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_fdset, multi_fdset,                                    \
      (CURLM *real, fd_set *readable, fd_set *writable, fd_set *except, int *max_fd),              \
      readable, writable, except, max_fd)                                                          \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_timeout, multi_timeout,                                \
      (CURLM *real, long *timeout_ms), timeout_ms)                                                 \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_waitfds, multi_waitfds,                                \
      (CURLM *real, struct curl_waitfd *fds, unsigned size, unsigned *count), fds, size, count)    \
    X(CURLMcode, CURLM_INTERNAL_ERROR, loop_get_offt, multi_get_offt,                              \
      (CURLM *real, int info, curl_off_t *number), info, number)
/* clang-format on */

#define PARAMETERS(...) __VA_ARGS__
#define HOOK(result, absent, ours, name, parameters, ...)                                                    \
    static __attribute__((noinline))                                                                         \
    result ask_other_##name(PARAMETERS parameters, enum libcurl_flavour flavour, const void *caller)         \
    {                                                                                                        \
        struct multi *multi = find(real, caller);                                                            \
                                                                                                             \
        if (multi && multi->libcurl->name)                                                                   \
            return ours(multi, __VA_ARGS__);                                                                 \
        const struct libcurl *libcurl = libcurl_for(flavour, caller);                                        \
        return libcurl && libcurl->name ? libcurl->name(real, __VA_ARGS__) : absent;                         \
    }                                                                                                        \
    static __attribute__((noinline))                                                                         \
    result ask_##name(PARAMETERS parameters, enum libcurl_flavour flavour, const void *caller)               \
    {                                                                                                        \
        struct multi *multi = find_last(real, caller);                                                       \
                                                                                                             \
        if (multi && multi->libcurl->name)                                                                   \
            return ours(multi, __VA_ARGS__);                                                                 \
        return ask_other_##name(real, __VA_ARGS__, flavour, caller);                                         \
    }                                                                                                        \
    /* libcurl's own loop comes through here for each transfer: its way is short. */                         \
    STUBS_INLINE result hook_##name(enum libcurl_flavour flavour, PARAMETERS parameters, const void *caller) \
    {                                                                                                        \
        if (libcurl_is_caller(flavour, caller)) /* what it calls it has */                                   \
            return libcurl_known(flavour)->name(real, __VA_ARGS__);                                          \
        return ask_##name(real, __VA_ARGS__, flavour, caller);                                               \
    }
ASKED(HOOK)

#define STUBS(flavour, version)                                                                              \
    STUBS_DEFINE(flavour, return, CURLM *, multi_init, (void), STUBS_CALLER)                                 \
    STUBS_DEFINE(flavour, return, CURLMcode, multi_cleanup, (CURLM * real), real, STUBS_CALLER)              \
    STUBS_DEFINE(flavour, return, CURL **, multi_get_handles, (CURLM * real), real, STUBS_CALLER)            \
    STUBS_DEFINE(flavour, return, CURLMcode, multi_add_handle, (CURLM * real, CURL * easy), real, easy,      \
                 STUBS_CALLER)                                                                               \
    STUBS_DEFINE(flavour, return, CURLMcode, multi_notify_enable, (CURLM * real, unsigned type), real, type, \
                 STUBS_CALLER)                                                                               \
    STUBS_DEFINE(flavour, return, CURLMcode, multi_notify_disable, (CURLM * real, unsigned type), real,      \
                 type, STUBS_CALLER)                                                                         \
    STUBS_DEFINE(flavour, return, CURLMcode, multi_poll,                                                     \
                 (CURLM * real, struct curl_waitfd * extra, unsigned count, int timeout_ms, int *ready),     \
                 real, extra, count, timeout_ms, ready, STUBS_CALLER)
LIBCURL_FLAVOURS(STUBS)

#define ASKED_openssl(result, absent, ours, name, parameters, ...)                                           \
    STUBS_DEFINE(openssl, return, result, name, parameters, real, __VA_ARGS__, STUBS_CALLER)
#define ASKED_gnutls(result, absent, ours, name, parameters, ...)                                            \
    STUBS_DEFINE(gnutls, return, result, name, parameters, real, __VA_ARGS__, STUBS_CALLER)
#define ASKED_nss(result, absent, ours, name, parameters, ...)                                               \
    STUBS_DEFINE(nss, return, result, name, parameters, real, __VA_ARGS__, STUBS_CALLER)
#define ASKED_plain(result, absent, ours, name, parameters, ...)                                             \
    STUBS_DEFINE(plain, return, result, name, parameters, real, __VA_ARGS__, STUBS_CALLER)
ASKED(ASKED_openssl)
ASKED(ASKED_gnutls)
ASKED(ASKED_nss)
ASKED(ASKED_plain)
