/*
 * A call that is like the one before it on its handle: nothing was set since, that one ended well, and
 * nothing that it depends on has changed. Then nearly all of its record is as it must be, and what differs is
 * written in a few steps; where anything is not as before, the call goes the way of all others
 * (curl/transfer.h).
 *
 *     routine_follows → routine_begins → libcurl → routine_ends
 */
#ifndef GUSSET_CURL_ROUTINE_H
#define GUSSET_CURL_ROUTINE_H

#include "curl/call.h"

/*
 * Whether the next call on the handle may be such, after one that was not: its record is looked through. From
 * then on a flag says it, while the handle is settled: handle->is_routine, or its seat's in a program's loop.
 */
bool routine_follows(const struct handle *handle, bool is_in_loop);

/* Opens, admits and dresses it all at once, or does nothing and returns false. Of a handle that is_routine.
 */
bool routine_begins(struct call *call);

/* Closes it where it ended well; returns false, and does nothing, where it did not. */
bool routine_ends(struct call *call, CURLcode code);

#endif
