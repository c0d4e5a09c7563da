/*
 * What the program's progress function is told of a body that broke off and is continued: how far the whole
 * has come, not the part that libcurl just now sees. Nothing is worn before a body is continued.
 */
#ifndef GUSSET_CURL_PROGRESS_H
#define GUSSET_CURL_PROGRESS_H

#include <curl/curl.h>
#include <stdbool.h>

struct call;
struct handle;

/* An attempt goes on with a body: stands in for the program's function, where it has one. */
void progress_attempt(struct call *call);

/* Puts the program's own back. */
void progress_restore(struct call *call);
void progress_undress_copy(const struct handle *from, CURL *copy);

bool progress_has_borrowed(const struct call *call, CURLoption option);

/* Asks the program's function while nothing moves, as libcurl would; true: it ends the call. */
bool progress_stops(const struct handle *handle);

#endif
