/*
 * A second handle beside the program's, for a second attempt at the same time: a copy of it that asks for the
 * very same, but of which nothing reaches the program. No callback of the program's is ever called by it.
 */
#ifndef GUSSET_CURL_TWIN_H
#define GUSSET_CURL_TWIN_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "curl/trace.h"

struct call;
struct libcurl;

/* What the twin has got: headers, those that the call's handle wears, with a span of their own; and cookies.
 */
struct twin_given {
    struct curl_slist *nodes; /* the texts behind them; NULL: none. Owned */
    char traceparent[TRACE_PARENT_ROOM];
    struct curl_slist *cookies; /* libcurl's memory. Owned */
};

/* Whether the call's request can be made by a twin, and its reply be given to the program. */
bool twin_is_fit(const struct call *call);

/* Who hears of the twin's reply: libcurl's header and write callbacks; and its buffer for errors. */
struct twin_listener {
    curl_write_callback line;
    curl_write_callback body;
    void *data;
    char *error;
};

/*
 * Makes one that may take until ends_us (monotonic; 0: no limit). NULL where there is no memory. given is
 * written, and lives as long as the twin.
 */
CURL *twin_new(const struct call *call, const struct twin_listener *listener, struct twin_given *given,
               uint64_t ends_us);

/* Its reply has begun: it may take as long as it wants to. */
void twin_unlimit(const struct call *call, CURL *twin);

/* What a reply has changed of the cookies that it was given changes in the program's handle's jar, too. */
void twin_give_cookies(const struct call *call, CURL *twin, const struct twin_given *given);

/* Frees it, once it is in no multi handle any more. */
void twin_free(const struct libcurl *libcurl, CURL *twin, struct twin_given *given);

#endif
