/*
 * What a program's event loop asks of a multi handle, in each of the four styles that there are: it lets
 * transfers go on (perform, socket_action), it waits (poll, wait), or it asks what to wait for (fdset,
 * waitfds, timeout). Parked calls are part of every answer.
 */
#ifndef GUSSET_CURL_LOOP_H
#define GUSSET_CURL_LOOP_H

#include "curl/multi.h"

CURLMcode loop_perform(struct multi *multi, int *running);
CURLMcode loop_socket(struct multi *multi, curl_socket_t socket, int *running);
CURLMcode loop_socket_action(struct multi *multi, curl_socket_t socket, int events, int *running);
CURLMcode loop_socket_all(struct multi *multi, int *running);

enum { LOOP_SLACK_US = 5000000 }; /* what a program does besides its loop */

/* No clock is read where the look is far off: further than the wait and LOOP_SLACK_US. */
static inline bool loop_may_wait(const struct multi *multi, int timeout_ms)
{
    return !multi->looks_us ||
           (multi->came_us && multi->looks_us > multi->came_us + (uint64_t)timeout_ms * 1000 + LOOP_SLACK_US);
}

CURLMcode loop_poll(struct multi *multi, struct curl_waitfd *extra, unsigned extra_count, int timeout_ms,
                    int *ready);
CURLMcode loop_wait(struct multi *multi, struct curl_waitfd *extra, unsigned extra_count, int timeout_ms,
                    int *ready);

CURLMcode loop_fdset(struct multi *multi, fd_set *readable, fd_set *writable, fd_set *except, int *max_fd);
CURLMcode loop_waitfds(struct multi *multi, struct curl_waitfd *fds, unsigned size, unsigned *count);
CURLMcode loop_timeout(struct multi *multi, long *timeout_ms);

/* Which handles are in it: an array that ends with NULL, freed by curl_free. NULL: no memory. */
CURL **loop_get_handles(struct multi *multi);
CURLMcode loop_get_offt(struct multi *multi, int info, curl_off_t *number);

#endif
