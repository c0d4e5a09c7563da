/*
 * A call under way on an easy handle: the gate's part and what each room of this folder keeps for it.
 * It belongs to the handle and lives on the heap, not on a stack, because a program may leave
 * curl_easy_perform by longjmp or an exception out of its own callback.
 */
#ifndef GUSSET_CURL_CALL_H
#define GUSSET_CURL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "curl/deadline.h"
#include "curl/handles.h"
#include "curl/inject.h"
#include "curl/keep.h"
#include "curl/redirect.h"
#include "curl/reply.h"
#include "curl/resume.h"
#include "curl/upload.h"
#include "gate/gate.h"

struct hedge;
struct made;
struct runner;

struct call {
    struct handle *handle;
    uint32_t method; /* bit of core/method.h */
    bool is_http;
    bool sent;             /* in this attempt the request may have left the machine */
    bool hop_sent;         /* likewise, to where the last redirect led */
    bool was_sent;         /* in some attempt of this call */
    CURLM *multi;          /* the one that libcurl's own loop runs the transfer with; NULL: not seen */
    struct call *outer;    /* the call in whose callback this one runs */
    struct made *made;     /* a reply that no server sent is being given just now; NULL: none. Owned */
    bool is_replaced;      /* the program gets another reply than the call's own, when its loop comes by */
    CURLcode lost;         /* what it gets where that cannot be made after all */
    bool is_watched;       /* one of the two that follow is there */
    struct resume *resume; /* NULL: its rule does not continue bodies that break off. Owned */
    struct hedge *hedge;   /* a second attempt beside the current one; NULL: none. Owned */
    uint64_t hedge_due_us; /* when there is to be one, monotonic; 0: never */
    struct runner *runner; /* our loop for curl_easy_perform; NULL: none so far. Owned */
    struct keep *keep;     /* NULL: its reply is not kept. Owned */
    struct gate_call gate;
    struct deadline deadline;
    struct reply reply;
    struct upload upload;
    struct redirect *redirect; /* made for the first service; NULL: none so far. Owned */
    struct inject inject;      /* last: most of it need not be cleared at birth */
};

/* The handle's call, made at its first use; NULL when there is no memory for it. */
struct call *call_of(struct handle *handle);

/* Its handle has gone, and nothing is worn any more: what the next handle may use again stays. */
void call_retire(struct call *call);

/* Frees what a call holds; NULL is fine. */
void call_free(struct call *call);

/* The policy's limits of time; NULL: it has none. */
static inline const struct policy_timeouts *call_limits(const struct call *call)
{
    const struct policy *settings = call->gate.policy->settings;
    return settings->groups & POLICY_TIMEOUT ? &settings->timeout : NULL;
}

/* What gusset itself sets on the real handle: one word, as libcurl takes it. */
#define call_set(call, option, word)                                                                         \
    ((call)->handle->libcurl->easy_setopt((call)->handle->easy, (option), (word)))

/* Whether a redirect has led the transfer to another scheme, host or port than it was for. */
bool call_is_at_another_origin(const struct call *call);

/*
 * Whether the handle still is set to the request that the call was opened for. A program may set another, or
 * reset the handle, from a callback or while the call waits: that one is not this call's to make.
 */
bool call_is_unchanged(const struct call *call);

/* Tells the gate, once an attempt, how it ended; returns what the gate says. */
struct verdict call_ended(struct call *call, struct outcome outcome);

#endif
