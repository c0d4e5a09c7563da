/*
 * A turn of the program's event loop: it comes to its multi handle, and libcurl has the word. Whatever
 * function it comes by (curl/loop.h) begins with turn_begin and ends with turn_end.
 */
#ifndef GUSSET_CURL_TURN_H
#define GUSSET_CURL_TURN_H

#include "curl/multi.h"

/* The loop's call begins: new calls are opened, those that are due go on. Returns false in a callback, to
 * which libcurl would answer CURLM_RECURSIVE_API_CALL, too; but some callbacks are called by us. */
bool turn_begin(struct multi *multi);

/* It ends: what has ended meanwhile is judged; parked calls are counted as running (NULL: not asked). */
CURLMcode turn_end(struct multi *multi, CURLMcode code, int *running);

#endif
