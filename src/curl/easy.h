/* curl_easy_perform under a rule: it waits by sleeping. */
#ifndef GUSSET_CURL_EASY_H
#define GUSSET_CURL_EASY_H

#include "curl/handles.h"

/* Performs the handle's transfer; without a matching rule that is libcurl's own curl_easy_perform. */
CURLcode easy_perform(struct handle *handle);

/* libcurl's own loop is about to wait for at most timeout_ms; returns how long it may, for the call that it
 * runs in this thread. */
int easy_poll_ms(int timeout_ms);

/* The handle is about to go: if a longjmp left its transfer, this thread must not think that it still runs.
 */
void easy_leave(const struct handle *handle);

#endif
