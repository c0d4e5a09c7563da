/*
 * Calls in a multi handle of the program's. They take the same steps as an easy one; where that would
 * sleep, the call is *parked*: libcurl gives its handle back, and takes it again when it is due. The
 * program's loop sees a transfer that goes on: it is counted as running, and told when to come back.
 */
#ifndef GUSSET_CURL_MULTI_H
#define GUSSET_CURL_MULTI_H

#include <stdatomic.h>

#include "curl/alarm.h"
#include "curl/handles.h"
#include "curl/messages.h"
#include "curl/notices.h"
#include "curl/seat.h"

struct hedge;

struct multi {
    CURLM *real;
    const struct libcurl *libcurl;
    struct handle *handles; /* those that sit here, the latest first: so new ones stand before all others */
    unsigned count[SEAT_PLACES];
    uint64_t looks_us;    /* when its calls must be looked at again, or earlier than need be; 0: no need */
    uint64_t came_us;     /* the loop came by last; 0: there was nothing to look at then */
    uint64_t progress_us; /* parked calls' progress callbacks were asked */
    bool may_queue;       /* the program limits its connections: a transfer may wait in libcurl for one */
    bool shows_handles;   /* the program has a function that is told of transfers, and would be of ours */
    bool must_run_all;    /* a limit has passed: libcurl would not look at the transfer for no event */
    bool is_draining;     /* libcurl's messages are being read: no handle of ours is freed meanwhile */
    bool is_drained;      /* libcurl has no message since its last turn */
    bool is_serving;      /* replies that no server sent are being given */
    bool is_busy;         /* libcurl or its callbacks are at work: whoever comes now is one of them */
    struct hedge *hedges; /* second attempts that run here */
    struct messages messages;
    struct alarm alarm;
    struct notices notices;
};

/* libcurl has made a multi handle; out of memory: it stays unknown, and its handles are left alone. */
void multi_add(CURLM *real, const struct libcurl *libcurl);

/* The one that a thread has asked for last; good until any multi handle goes. For multi_find alone. */
struct multi_memory {
    CURLM *real;
    struct multi *multi;
    unsigned gone; /* multi_gone when it was found */
};
extern _Thread_local struct multi_memory multi_last __attribute__((tls_model("initial-exec")));
extern _Atomic unsigned multi_gone; /* multi handles that have been cleaned up */
struct multi *multi_find_again(CURLM *real);

/* The quick answer: the one that this thread has asked for before, or NULL. */
static inline struct multi *multi_find_last(CURLM *real)
{
    bool is_last =
        multi_last.real == real && multi_last.gone == atomic_load_explicit(&multi_gone, memory_order_acquire);
    return is_last ? multi_last.multi : NULL;
}

/* Finds one; NULL when it is unknown. Lock-free. */
static inline struct multi *multi_find(CURLM *real)
{
    struct multi *last = multi_find_last(real);
    return last ? last : multi_find_again(real);
}

/* curl_multi_cleanup, curl_multi_setopt, curl_multi_add_handle, curl_multi_remove_handle,
 * curl_multi_info_read. */
CURLMcode multi_cleanup(struct multi *multi);
CURLMcode multi_setopt(struct multi *multi, CURLMoption option, uint64_t word);
CURLMcode multi_join(struct multi *multi, CURL *easy);
CURLMcode multi_leave(struct multi *multi, CURL *easy);
CURLMsg *multi_read(struct multi *multi, int *left);

/* The program frees a handle without having taken it out. */
void multi_forget(struct handle *handle);

/* The handle to libcurl, and back. Whoever comes meanwhile is a callback. */
CURLMcode multi_give(struct multi *multi, CURL *easy);
CURLMcode multi_take_back(struct multi *multi, CURL *easy);

/* The program's timer is set to what is nearest now. Returns false when its function failed. */
bool multi_tell_timer(struct multi *multi);

#endif
