/*
 * The handle, dressed for an attempt: the options that gusset needs for the transfer stand in for the
 * program's. It stays dressed between calls, because putting on and off twenty options costs libcurl
 * more than all of gusset; whatever else the program does with it (sets a borrowed option, gives it to a
 * multi handle, loses its rule) first puts back exactly what the program set.
 */
#ifndef GUSSET_CURL_REQUEST_H
#define GUSSET_CURL_REQUEST_H

#include "curl/call.h"

/*
 * Dresses the handle for the call's next attempt. Returns false when that cannot be made after all: its body
 * cannot be sent again, or the program has set another request meanwhile.
 */
bool request_dress(struct call *call);

/* Undresses it; nothing happens when it is not dressed. Not while its transfer runs. */
void request_undress(struct handle *handle);

/*
 * The program sets an option: what gusset has borrowed is first given back, or only written down where the
 * transfer runs just now. Returns what libcurl would.
 */
CURLcode request_setopt(struct handle *handle, CURLoption option, uint64_t word);

/* curl_easy_pause of a handle whose call is under way, and which may be parked: `which` is a set of
 * CURLPAUSE_. */
CURLcode request_pause(struct handle *handle, int which);

/* A duplicate of a handle that is dressed or refused got gusset's options along: gives it the program's. */
void request_undress_copy(const struct handle *from, CURL *copy);

/*
 * Makes the next transfer fail at once as a refused connection, natively (0.05 ms, no DNS, no proxy, INFO
 * reset): it is pointed to a unix socket that cannot exist. After it, request_refused points it back.
 */
void request_refuse(struct handle *handle);
void request_refused(struct handle *handle);

#endif
