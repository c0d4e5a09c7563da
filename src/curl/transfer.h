/*
 * The steps of a call that every interface of libcurl takes alike; what differs is only how it waits
 * between them (easy sleeps, multi parks).
 *
 *     transfer_open → { gate_admit → request_dress → libcurl → transfer_ended } … → transfer_close
 */
#ifndef GUSSET_CURL_TRANSFER_H
#define GUSSET_CURL_TRANSFER_H

#include "curl/call.h"

/*
 * Opens a call for the handle as the program has set it; NULL when no rule matches. Where nothing of the
 * handle may change (no rule, or gate.shadow) it is undressed. Afterwards handle->is_performing.
 */
struct call *transfer_open(struct handle *handle);

/* A transfer of the call ended with *code, which may be mended. Returns STOP or AGAIN, once more after
 * wait_ms. */
struct verdict transfer_ended(struct call *call, CURLcode *code);

/* A call in shadow ended: it ran as the program set it, and only its outcome is told. */
void transfer_watched(struct call *call, CURLcode code);

/*
 * The transfer that request_refuse made fail has ended with code: puts the sentence into the program's
 * error buffer, and returns the code that the program gets.
 */
CURLcode transfer_refused(struct call *call, const struct verdict *verdict, CURLcode code);

/* The reply was thrown away, and nothing can be given instead: what the program gets for code. */
CURLcode transfer_lost(CURLcode code);

/* The call is over, or given up in the middle of an attempt. */
void transfer_close(struct call *call);

#endif
