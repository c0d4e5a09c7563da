/*
 * libcurl, as the program has it: one table of real functions a flavour. Debian alone ships three, told
 * apart by the version of their symbols, and a program may hold two at once (facts-libcurl), so a table
 * is found by the version under which the program called us. gusset has no link-time reference to any
 * curl function; a table is looked up when it is first needed, wherever the loader has it.
 */
#ifndef GUSSET_SYS_LIBCURL_H
#define GUSSET_SYS_LIBCURL_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LIBCURL_FLAVOURS(X)                                                                                  \
    X(openssl, "CURL_OPENSSL_4")                                                                             \
    X(gnutls, "CURL_GNUTLS_3")                                                                               \
    X(nss, "CURL_NSS_3")                                                                                     \
    X(plain, NULL) /* asked for without a version, or under one that is not listed here */

enum libcurl_flavour {
#define X(name, version) LIBCURL_##name,
    LIBCURL_FLAVOURS(X)
#undef X
        LIBCURL_FLAVOUR_COUNT
};

/* Not variadic by our hand: on x86-64 and aarch64 a variadic word travels as an ordinary one. */
#define LIBCURL_FUNCTIONS(X)                                                                                 \
    X(easy_init, CURL *, (void))                                                                             \
    X(easy_duphandle, CURL *, (CURL *))                                                                      \
    X(easy_reset, void, (CURL *))                                                                            \
    X(easy_cleanup, void, (CURL *))                                                                          \
    X(easy_setopt, CURLcode, (CURL *, CURLoption, ...))                                                      \
    X(easy_getinfo, CURLcode, (CURL *, CURLINFO, ...))                                                       \
    X(easy_perform, CURLcode, (CURL *))                                                                      \
    X(easy_pause, CURLcode, (CURL *, int))                                                                   \
    X(multi_init, CURLM *, (void))                                                                           \
    X(multi_cleanup, CURLMcode, (CURLM *))                                                                   \
    X(multi_setopt, CURLMcode, (CURLM *, CURLMoption, ...))                                                  \
    X(multi_add_handle, CURLMcode, (CURLM *, CURL *))                                                        \
    X(multi_remove_handle, CURLMcode, (CURLM *, CURL *))                                                     \
    X(multi_perform, CURLMcode, (CURLM *, int *))                                                            \
    X(multi_socket, CURLMcode, (CURLM *, curl_socket_t, int *))                                              \
    X(multi_socket_action, CURLMcode, (CURLM *, curl_socket_t, int, int *))                                  \
    X(multi_socket_all, CURLMcode, (CURLM *, int *))                                                         \
    X(multi_info_read, CURLMsg *, (CURLM *, int *))                                                          \
    X(multi_wait, CURLMcode, (CURLM *, struct curl_waitfd *, unsigned, int, int *))                          \
    X(multi_fdset, CURLMcode, (CURLM *, fd_set *, fd_set *, fd_set *, int *))                                \
    X(multi_timeout, CURLMcode, (CURLM *, long *))                                                           \
    X(multi_waitfds, CURLMcode, (CURLM *, struct curl_waitfd *, unsigned, unsigned *)) /* 8.8 */             \
    X(multi_get_handles, CURL **, (CURLM *))                                           /* 8.4 */             \
    X(multi_get_offt, CURLMcode, (CURLM *, int, curl_off_t *))                         /* 8.16 */            \
    X(maprintf, char *, (const char *, ...))                                                                 \
    X(multi_poll, CURLMcode, (CURLM *, struct curl_waitfd *, unsigned, int, int *))                          \
    X(share_init, CURLSH *, (void))                                                                          \
    X(share_setopt, CURLSHcode, (CURLSH *, CURLSHoption, ...))                                               \
    X(share_cleanup, CURLSHcode, (CURLSH *))                                                                 \
    X(url, CURLU *, (void))                                                                                  \
    X(url_cleanup, void, (CURLU *))                                                                          \
    X(url_set, CURLUcode, (CURLU *, CURLUPart, const char *, unsigned))                                      \
    X(url_get, CURLUcode, (const CURLU *, CURLUPart, char **, unsigned))                                     \
    X(free, void, (void *))                                                                                  \
    X(version_info, curl_version_info_data *, (CURLversion))

struct libcurl {
#define X(name, result, parameters) result(*name) parameters;
    LIBCURL_FUNCTIONS(X)
#undef X
    void *library;              /* for linker_find: a handle, or RTLD_NEXT */
    const char *symbol_version; /* likewise; NULL: none */
    uintptr_t text_start;       /* libcurl's own code: whoever calls from there is libcurl itself */
    uintptr_t text_end;
    enum libcurl_flavour flavour;
    unsigned version;  /* 0x075801 is 7.88.1 */
    bool has_prereq;   /* CURLOPT_PREREQFUNCTION, since 7.80.0 */
    bool never_blocks; /* names are looked up aside: whatever takes time it waits for in its loop */
};

/* The tables found so far; for libcurl_of alone. */
extern _Atomic(const struct libcurl *) libcurl_tables[LIBCURL_FLAVOUR_COUNT]
    __attribute__((visibility("hidden")));

/* Where their code is; for libcurl_is_caller alone. */
extern struct libcurl_text {
    _Atomic uintptr_t size; /* 0: the flavour's table was not looked up yet */
    _Atomic uintptr_t start;
} libcurl_texts[LIBCURL_FLAVOUR_COUNT] __attribute__((visibility("hidden")));

/* Looks a flavour's table up and publishes it. */
const struct libcurl *libcurl_find(enum libcurl_flavour flavour);

/* The table of a flavour, where it was looked up before; NULL otherwise. */
static inline const struct libcurl *libcurl_known(enum libcurl_flavour flavour)
{
    return atomic_load_explicit(&libcurl_tables[flavour], memory_order_acquire);
}

/* The table of a flavour; NULL when the program has no such libcurl. Constant and immortal. */
static inline const struct libcurl *libcurl_of(enum libcurl_flavour flavour)
{
    const struct libcurl *known = libcurl_known(flavour);
    return known ? known : libcurl_find(flavour);
}

/*
 * The table for a call on a handle that gusset does not know. A program may hold two libraries of one flavour
 * (a bundled one beside the system's): the caller's address tells which is meant. NULL as for libcurl_of.
 */
const struct libcurl *libcurl_for(enum libcurl_flavour flavour, const void *caller);

/* The program opens libraries as it runs. Until then the loader gives everybody the same one of a flavour. */
void libcurl_may_come(void);

/*
 * Whether a return address lies in libcurl: then libcurl calls itself through the loader, and the call
 * was judged further out. A thread-local depth would be wrong: a program's callback may call curl.
 */
static inline bool libcurl_holds(const struct libcurl *libcurl, const void *address)
{
    return (uintptr_t)address - libcurl->text_start < libcurl->text_end - libcurl->text_start;
}

/* The same, in the fewest steps, for the library that was looked up; libcurl_known is not NULL then. */
static inline bool libcurl_is_caller(enum libcurl_flavour flavour, const void *address)
{
    struct libcurl_text *text = &libcurl_texts[flavour];
    uintptr_t size = atomic_load_explicit(&text->size, memory_order_acquire);
    return (uintptr_t)address - atomic_load_explicit(&text->start, memory_order_relaxed) < size;
}

/* Whose code lies where: from the first byte of all libraries that have a table to the last. For the next
 * one. */
extern struct libcurl_span {
    _Atomic uintptr_t start, end; /* both 0: there is none */
} libcurl_span __attribute__((visibility("hidden")));

bool libcurl_one_holds(const void *address);

/* False: none of them can. */
static inline bool libcurl_one_may_hold(const void *address)
{
    return (uintptr_t)address < atomic_load_explicit(&libcurl_span.end, memory_order_acquire) &&
           (uintptr_t)address >= atomic_load_explicit(&libcurl_span.start, memory_order_relaxed);
}

/* The same for any flavour whose table has been looked up. */
static inline bool libcurl_any_holds(const void *address)
{
    return libcurl_one_may_hold(address) && libcurl_one_holds(address);
}

/* The version of the flavour's symbols; NULL: none. */
const char *libcurl_version_of(enum libcurl_flavour flavour);

#endif
