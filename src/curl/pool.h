/*
 * Connections, name look-ups and TLS sessions that outlive the program's easy handles, where a rule says
 * so: for the time of curl_easy_perform a handle wears a share object (curl_share_init) of this thread
 * and of its fingerprint. libcurl can only use a shared connection from one thread at a time, so a share
 * belongs to one thread; when that ends, another takes it over. A forked child leaves its parent's alone.
 */
#ifndef GUSSET_CURL_POOL_H
#define GUSSET_CURL_POOL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum { POOL_DEFAULT_MAXCONNECTS = 5 }; /* libcurl's, of an easy handle */

struct call;
struct handle;
struct share;

/* What a handle keeps of it. */
struct pool {
    struct share *share;  /* NULL: none of ours is worn */
    uint64_t fingerprint; /* that the share was put on for */
    long keepalive;       /* CURLOPT_MAXCONNECTS as it is worn */
    bool is_fresh;        /* CURLOPT_FRESH_CONNECT is worn */
    bool has_own;         /* it ran without: it has connections and TLS sessions of its own */
    bool is_overtaken;    /* the program has set a share from a callback of the transfer */
};

/* Whether the call's rule has a pool, and the handle may be in it. */
bool pool_wants(const struct call *call);

/* libcurl is about to run such a call's transfer in this thread: puts a share on, or takes it off. */
void pool_enter(struct call *call);

/* libcurl has run it. */
void pool_exit(struct handle *handle);

/* Takes the share off, and puts back what the program set. Not while the handle's transfer runs. */
void pool_leave(struct handle *handle);

/* The same before a transfer that is none of the pool's: from now on the handle keeps to itself. */
void pool_stay_out(struct handle *handle);

/* Whether the option holds gusset's value just now. */
bool pool_has_borrowed(const struct handle *handle, CURLoption option);

/* The program sets such an option from a callback of its transfer. Returns what libcurl would. */
CURLcode pool_program_sets(struct handle *handle, CURLoption option, uint64_t word);

/* libcurl has freed the handle, and so taken its share off. */
void pool_free(struct handle *handle);

#endif
