/*
 * What the program set on its easy handles. libcurl has no getopt, so the options that gusset must know,
 * or must put back after it borrowed them, are written down as they pass. A handle whose birth was not
 * seen is not in the table and is never touched.
 */
#ifndef GUSSET_CURL_HANDLES_H
#define GUSSET_CURL_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#include "curl/fingerprint.h"
#include "curl/pool.h"
#include "curl/registry.h"
#include "curl/seat.h"
#include "curl/target.h"
#include "sys/libcurl.h"

/*
 * Options whose value is one word (a number or a borrowed pointer).
 * BORROWED ones are swapped while a call is under way: what the program sets meanwhile is only written
 * down. NOTED ones are only read, those that point to what libcurl has copied only for whether they are set.
 */
/* clang-format off */
#define HANDLES_BORROWED(X)                                                                        \
    X(WRITEFUNCTION) X(WRITEDATA) X(HEADERFUNCTION) X(HEADERDATA) X(READFUNCTION) X(READDATA)      \
    X(SEEKFUNCTION) X(SEEKDATA) X(HEADER) X(HTTPHEADER) X(PREREQFUNCTION) X(PREREQDATA)            \
    X(TIMEOUT_MS) X(CONNECTTIMEOUT_MS) X(LOW_SPEED_LIMIT) X(LOW_SPEED_TIME) X(QUICK_EXIT)      \
    X(SHARE) X(MAXCONNECTS) X(FRESH_CONNECT) X(SOCKOPTFUNCTION)                                    \
    X(CURLU) X(PORT) X(CONNECT_TO) X(HTTPAUTH)
#define HANDLES_NOTED(X)                                                                           \
    X(IOCTLFUNCTION) X(IOCTLDATA) X(ERRORBUFFER) X(NOPROGRESS) X(XFERINFOFUNCTION)                 \
    X(PROGRESSFUNCTION) X(XFERINFODATA) X(FOLLOWLOCATION) X(CONNECT_ONLY) X(HEADEROPT)             \
    X(PATH_AS_IS) X(KEEP_SENDING_ON_ERROR) X(POSTFIELDS) X(POSTFIELDSIZE_LARGE) X(FORBID_REUSE)    \
    X(OPENSOCKETFUNCTION) X(OPENSOCKETDATA) X(CLOSESOCKETFUNCTION) X(HTTP_VERSION) X(PROTOCOLS)    \
    X(RESUME_FROM_LARGE) X(REQUEST_TARGET) X(HTTP_TRANSFER_DECODING) X(SSL_VERIFYPEER)    \
    X(SSL_VERIFYHOST) X(IPRESOLVE) X(CERTINFO)
/* clang-format on */

/*
 * Options with which a request is made by one handle at a time (curl/twin.h): functions of the program's that
 * see sockets, TLS or files that a copy would read or write, too; and those by which libcurl makes of a reply
 * something else than what came.
 */
/* clang-format off */
#define HANDLES_SINGLE(X)                                                                          \
    X(SSL_CTX_FUNCTION) X(RESOLVER_START_FUNCTION) X(HSTSREADFUNCTION) X(HSTSWRITEFUNCTION)        \
    X(HSTS) X(HSTS_CTRL) X(ALTSVC) X(ALTSVC_CTRL)                                                  \
    X(TIMECONDITION) X(TRANSFER_ENCODING) X(IGNORE_CONTENT_LENGTH) X(HTTP200ALIASES)
/* clang-format on */

/* Options whose value is a string that libcurl copies; so do we. */
#define HANDLES_TEXTS(X)                                                                                     \
    X(URL)                                                                                                   \
    X(CUSTOMREQUEST)                                                                                         \
    X(DEFAULT_PROTOCOL)                                                                                      \
    X(UNIX_SOCKET_PATH) X(ABSTRACT_UNIX_SOCKET) X(PROXY) X(NOPROXY) X(PROTOCOLS_STR) X(RANGE)

enum handles_word {
#define X(name) HANDLES_##name,
    HANDLES_BORROWED(X) HANDLES_BORROWED_COUNT,
    HANDLES_LAST_BORROWED = HANDLES_BORROWED_COUNT - 1,
    HANDLES_NOTED(X)
#undef X
        HANDLES_WORDS
};

enum handles_text {
#define X(name) HANDLES_##name,
    HANDLES_TEXTS(X)
#undef X
        HANDLES_TEXT_COUNT
};

/* What kind of request the options add up to, as libcurl itself keeps it. */
enum handles_request { HANDLES_GET, HANDLES_HEAD, HANDLES_POST, HANDLES_FORM, HANDLES_PUT };

struct call;
struct told;

struct handles_string {
    char *bytes; /* NUL-terminated; NULL: not set */
    size_t room;
};

struct handle {
    CURL *easy;
    const struct libcurl *libcurl;
    struct call *call; /* its place for a call under way; NULL until one was gated. Owned */
    struct told *told; /* what curl_easy_getinfo says otherwise than libcurl would; NULL: nothing. Owned */
    struct seat seat;  /* in a multi handle of the program's */
    struct pool pool;  /* the share that it wears */
    bool is_performing;
    bool is_dressed;      /* the borrowed options hold gusset's values just now */
    bool is_refused;      /* it is pointed to nowhere just now (request_refuse) */
    bool is_settled;      /* no option was set since a first attempt dressed it, or no rule matched */
    bool is_routine;      /* its last call was one of routine; holds while it is settled (curl/routine.h) */
    bool has_no_body;     /* CURLOPT_NOBODY: a GET is a HEAD */
    bool has_credentials; /* the program has set some, or cookies, by an option */
    bool has_jar;         /* the program has let libcurl keep cookies */
    bool is_single;       /* one of HANDLES_SINGLE was set, or another handle's stream depends on it */
    bool has_texts;       /* the program has set one besides the URL */
    bool target_is_read;  /* target_is_known and target hold for the options as they are */
    bool target_is_known;
    bool target_is_new;              /* target was read since a call was last opened for it */
    struct handles_string known_url; /* target is this URL's, and nothing but a URL's; no bytes: not known */
    enum handles_request request;
    uint64_t resolved;             /* a sum of all that CURLOPT_RESOLVE has said; 0: nothing */
    uint64_t words[HANDLES_WORDS]; /* libcurl's default where the program set nothing */
    struct handles_string texts[HANDLES_TEXT_COUNT];
    struct target target;
    struct fingerprint fingerprint;
};

/* Remembers a handle that libcurl has just made; out of memory: it stays unknown. */
void handles_add(CURL *easy, const struct libcurl *libcurl);

/* Remembers a duplicate, with all that is known of the original. */
void handles_copy(const struct handle *from, CURL *easy);

/* For handles_find alone. */
extern struct registry handles_known __attribute__((visibility("hidden")));

/* The quick answer: nearly every handle, or NULL. */
static inline struct handle *handles_find_home(CURL *easy)
{
    return registry_find_home(&handles_known, easy);
}

/* Finds a handle; NULL when it is unknown. Lock-free. */
static inline struct handle *handles_find(CURL *easy)
{
    return registry_find(&handles_known, easy);
}

/* Back to what curl_easy_reset leaves. */
void handles_reset(struct handle *handle);

/* Takes a handle out of the table, before libcurl frees it and its address is born again. */
void handles_forget(struct handle *handle);

/* Frees a forgotten handle. */
void handles_free(struct handle *handle);

/* Keeps a copy of a text, or none of NULL. False, and nothing has changed, when memory fails. */
bool handles_keep_string(struct handles_string *string, const char *text);

/* Whether the URL is the one that a handle before had: then its text and target are this one's. */
bool handles_take_known_url(struct handle *handle, const char *url);

/* Where the handle's transfer would go; NULL when that is none of gusset's business. */
const struct target *handles_target(struct handle *handle);

/* Whether a choice of authentication leaves only such as authenticate the connection, and not the request. */
static inline bool handles_binds_connection(uint64_t auth)
{
    const uint64_t bound = CURLAUTH_NTLM | CURLAUTH_NTLM_WB | CURLAUTH_NEGOTIATE,
                   free = CURLAUTH_BASIC | CURLAUTH_DIGEST | CURLAUTH_DIGEST_IE | CURLAUTH_BEARER;
    return auth & bound && !(auth & free);
}

/* Bit of core/method.h of the request that would be made. */
uint32_t handles_method(const struct handle *handle);

static inline void *handles_pointer(const struct handle *handle, enum handles_word word)
{
    return (void *)(uintptr_t)handle->words[word];
}

#endif
