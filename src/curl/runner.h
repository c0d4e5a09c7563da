/*
 * curl_easy_perform by a loop of ours: under a rule that hedges, the transfer is run in a multi handle of the
 * call's own, into which a second one can be put. It is an event loop like a program's, and keeps the
 * policy's limits in the same way.
 */
#ifndef GUSSET_CURL_RUNNER_H
#define GUSSET_CURL_RUNNER_H

#include "curl/call.h"

struct runner {
    CURLM *multi;
    uint64_t looks_us; /* when the call must be looked at; 0: no need */
};

/* A call begins: whether it needs a loop of ours. Afterwards runner_end. */
bool runner_begin(struct call *call);
void runner_end(struct call *call);

/* Whether the call's transfers are run here. */
static inline bool runner_has(const struct call *call)
{
    return call->runner && call->deadline.loop_looks_us == &call->runner->looks_us;
}

/* One attempt, as curl_easy_perform would make it; or the one that is awaited (curl/hedge.h). */
CURLcode runner_perform(struct call *call);

/* The handle has gone, and with it the connections that were kept for it. */
void runner_free(struct call *call);

#endif
