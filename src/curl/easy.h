/* curl_easy_perform under a rule: it waits by sleeping. */
#ifndef GUSSET_CURL_EASY_H
#define GUSSET_CURL_EASY_H

#include "curl/handles.h"

/* Performs the handle's transfer; without a matching rule that is libcurl's own curl_easy_perform. */
CURLcode easy_perform(struct handle *handle);

/* libcurl's own loop has taken the handle to run it with this multi handle. */
void easy_runs_with(CURL *easy, CURLM *multi);

/* That loop is about to wait for at most timeout_ms; returns how long it may. */
int easy_poll_ms(CURLM *multi, int timeout_ms);

/* The handle is about to go: if a longjmp left its transfer, this thread must not think that it still runs.
 */
void easy_leave(const struct handle *handle);

#endif
