/*
 * The share objects of each thread, one for each fingerprint. libcurl can use a shared connection from
 * one thread at a time only, so a share is used by the thread that owns it, and by no nested transfer
 * (a callback's) while another uses it; other threads merely take it off their handles. The shares of a
 * thread that has ended are taken over by those that need one. A forked child forgets its parent's
 * without closing them: a TLS goodbye on the common socket would end the parent's connection.
 */
#ifndef GUSSET_CURL_SHARES_H
#define GUSSET_CURL_SHARES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys/libcurl.h"

struct handle;

struct share {
    CURLSH *real;
    const struct libcurl *libcurl;
    uint64_t fingerprint;
    uint64_t generation;
    _Atomic(const void *) owner;         /* of a thread; NULL: it waits to be taken over */
    _Atomic(const struct handle *) user; /* whose transfer runs with it; NULL: nobody's */
    _Atomic unsigned wearers;            /* handles that it is set on */
    struct share *next;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST]; /* libcurl's */
};

/*
 * A share of this thread that nobody uses, found, taken over or made; the thread keeps at most so many.
 * NULL: there is none to be had.
 */
struct share *shares_find(const struct libcurl *libcurl, uint64_t fingerprint, unsigned most);

/* Its connections may be of other settings than its fingerprint says: nobody finds it any more. */
void shares_spoil(struct share *share);

/* Whether it is this thread's, and handle may use it now. */
bool shares_may_use(const struct share *share, const struct handle *handle);

#endif
