/* A rehearsed fault (core/rehearsal.h) done to an attempt: inside of the program, so inside of TLS, too. */
#ifndef GUSSET_CURL_REHEARSE_H
#define GUSSET_CURL_REHEARSE_H

#include <curl/curl.h>

struct call;

/* The attempt that was admitted is dressed: its next transfer comes to what gate.fault says. */
void rehearse_attempt(struct call *call);

/* That transfer has ended; returns its code as the program is to see it. */
CURLcode rehearse_ended(struct call *call, CURLcode code);

#endif
