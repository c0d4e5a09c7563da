/* curl_easy_perform under a rule: it waits by sleeping. */
#ifndef GUSSET_CURL_EASY_H
#define GUSSET_CURL_EASY_H

#include "curl/call.h"

/* Performs the handle's transfer; without a matching rule that is libcurl's own curl_easy_perform. */
CURLcode easy_perform(struct handle *handle);

/*
 * The calls whose transfers libcurl runs in this thread just now, the innermost first: a callback may
 * perform another. One that was left by longjmp stays until the one around it ends, or its handle goes.
 */
extern _Thread_local struct call *easy_running __attribute__((tls_model("initial-exec")));

/* libcurl's own loop has taken the handle to run it with this multi handle. */
static inline void easy_runs_with(CURL *easy, CURLM *multi)
{
    struct call *call = easy_running;

    if (call && call->handle->easy == easy)
        call->multi = multi;
}

/* That loop, or any other, is about to wait for at most timeout_ms; returns how long it may. */
int easy_poll_ms(CURLM *multi, int timeout_ms);

/* The quick answer while one is running: it is with this multi handle, and may wait as long as it wants to.
 */
static inline bool easy_may_wait(CURLM *multi, int timeout_ms)
{
    struct call *call = easy_running;
    return call->multi == multi && deadline_can_wait(&call->deadline, timeout_ms);
}

/* The handle is about to go: if a longjmp left its transfer, this thread must not think that it still runs.
 */
void easy_leave(const struct handle *handle);

#endif
