/*
 * A call to a service of the registry goes where the service runs: while the handle is dressed its URL leads
 * there. host = "service": the URL is the service's, with its host in the Host header and in TLS. host =
 * "asked": the URL keeps the asked host, and CURLOPT_CONNECT_TO leads the connection. What goes to another
 * address than the program knows goes without its credentials, unless the service is to have them: no user,
 * password or token (CURLOPT_HTTPAUTH says none), no Authorization, no Cookie.
 *
 * A proxy is asked for it as for any URL of that address; but none where the asked name is excepted
 * (NO_PROXY), and for an address of this machine none that only the environment names: the proxy would take
 * it for its own.
 */
#ifndef GUSSET_CURL_REDIRECT_H
#define GUSSET_CURL_REDIRECT_H

#include <curl/curl.h>
#include <stdbool.h>

#include "curl/target.h"

struct call;
struct handle;
struct route;
struct route_address;

struct redirect {
    struct route *service;            /* that the call is for; NULL: none */
    const struct route_address *worn; /* where the handle is led just now; NULL: where the program said */
    bool withholds;                   /* the program's credentials do not travel there */
    bool has_entry;                   /* CURLOPT_CONNECT_TO is worn, too */
    bool is_past_proxy;               /* so is CURLOPT_NOPROXY: no proxy is asked */
    struct curl_slist entry;          /* its list */
    char entry_text[2 * PLACE_TEXT_MAX];
    enum target_scheme scheme; /* of the worn URL, and where its first request goes */
    struct place origin;
};

/* A call was opened anew: is its target a service? */
void redirect_open(struct call *call);

/* An attempt begins: leads the handle to the address that is chosen for it. */
void redirect_attempt(struct call *call);

/* Puts back what the program set. */
void redirect_restore(struct call *call);

/* The handle has gone that wore it. */
void redirect_retire(struct redirect *redirect);

/* Whether the handle is led elsewhere just now, and without the program's credentials. */
bool redirect_is_worn(const struct call *call);
bool redirect_withholds(const struct call *call);

/* Whether the service has several addresses, of which each call chooses anew. */
bool redirect_may_change(const struct call *call);

/* Whether the option holds gusset's value just now. */
bool redirect_has_borrowed(const struct call *call, CURLoption option);

/* Whether it goes there past all proxies. */
bool redirect_is_past_proxy(const struct call *call);

/* Where the call's first request goes, by the URL that the handle wears. */
const struct place *redirect_origin(const struct call *call, enum target_scheme *scheme);

#endif
