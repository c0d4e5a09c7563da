#include "curl/loop.h"

#include <string.h>
#include <sys/select.h>

#include "curl/hedge.h"
#include "curl/turn.h"

/* ---- transfers go on ---- */

CURLMcode loop_perform(struct multi *multi, int *running)
{
    if (!turn_begin(multi))
        return CURLM_RECURSIVE_API_CALL;
    multi->must_run_all = false;
    return turn_end(multi, multi->libcurl->multi_perform(multi->real, running), running);
}

/*
 * By an event libcurl looks at the transfer that it belongs to alone, and a limit of ours is no event of
 * its: then it looks at all of them.
 */
static CURLMcode run_all(struct multi *multi, int *running)
{
    multi->must_run_all = false;
    return multi->libcurl->multi_socket_all(multi->real, running);
}

CURLMcode loop_socket_action(struct multi *multi, curl_socket_t socket, int events, int *running)
{
    if (!multi->is_busy && socket == CURL_SOCKET_TIMEOUT)
        alarm_fired(&multi->alarm);
    if (!turn_begin(multi))
        return CURLM_RECURSIVE_API_CALL;
    CURLMcode code = multi->must_run_all
                         ? run_all(multi, running)
                         : multi->libcurl->multi_socket_action(multi->real, socket, events, running);
    return turn_end(multi, code, running);
}

CURLMcode loop_socket(struct multi *multi, curl_socket_t socket, int *running)
{
    return loop_socket_action(multi, socket, 0, running);
}

CURLMcode loop_socket_all(struct multi *multi, int *running)
{
    if (!turn_begin(multi))
        return CURLM_RECURSIVE_API_CALL;
    return turn_end(multi, run_all(multi, running), running);
}

/* ---- it waits ---- */

static int until_look_ms(const struct multi *multi, int timeout_ms)
{
    if (loop_may_wait(multi, timeout_ms))
        return timeout_ms;
    long left_ms = alarm_left_ms(multi->looks_us);
    return left_ms < timeout_ms ? (int)left_ms : timeout_ms;
}

CURLMcode loop_poll(struct multi *multi, struct curl_waitfd *extra, unsigned extra_count, int timeout_ms,
                    int *ready)
{
    return multi->libcurl->multi_poll(multi->real, extra, extra_count, until_look_ms(multi, timeout_ms),
                                      ready);
}

/* curl_multi_wait returns at once where there is no descriptor, and its caller would spin while a call is
 * parked. */
CURLMcode loop_wait(struct multi *multi, struct curl_waitfd *extra, unsigned extra_count, int timeout_ms,
                    int *ready)
{
    if (multi->count[SEAT_PARKED] && multi->libcurl->multi_poll)
        return loop_poll(multi, extra, extra_count, timeout_ms, ready);
    return multi->libcurl->multi_wait(multi->real, extra, extra_count, until_look_ms(multi, timeout_ms),
                                      ready);
}

/* ---- it asks what to wait for ---- */

/* A parked call has no descriptor of its own; -1: none is parked, or none is to be had. */
static int descriptor_of_parked(struct multi *multi)
{
    return multi->count[SEAT_PARKED] ? alarm_descriptor(&multi->alarm, multi->looks_us) : -1;
}

CURLMcode loop_fdset(struct multi *multi, fd_set *readable, fd_set *writable, fd_set *except, int *max_fd)
{
    CURLMcode code = multi->libcurl->multi_fdset(multi->real, readable, writable, except, max_fd);
    int timer = code == CURLM_OK ? descriptor_of_parked(multi) : -1;

    if (timer < 0 || timer >= FD_SETSIZE)
        return code;
    FD_SET(timer, readable);
    if (timer > *max_fd)
        *max_fd = timer;
    return code;
}

/* From 8.12 on libcurl counts the descriptors even where there is no room for them, and returns
 * OUT_OF_MEMORY. */
CURLMcode loop_waitfds(struct multi *multi, struct curl_waitfd *fds, unsigned size, unsigned *count)
{
    unsigned used = 0;
    CURLMcode code = multi->libcurl->multi_waitfds(multi->real, fds, size, &used);
    int timer = descriptor_of_parked(multi);

    if (timer >= 0) {
        if (used < size && fds)
            fds[used] = (struct curl_waitfd){.fd = timer, .events = CURL_WAIT_POLLIN};
        else if (size && code == CURLM_OK)
            code = CURLM_OUT_OF_MEMORY;
        used++;
    }
    if (count)
        *count = used;
    return code;
}

CURLMcode loop_timeout(struct multi *multi, long *timeout_ms)
{
    CURLMcode code = multi->libcurl->multi_timeout(multi->real, timeout_ms);

    if (code != CURLM_OK || !multi->looks_us)
        return code;
    long left_ms = alarm_left_ms(multi->looks_us);
    if (*timeout_ms < 0 || left_ms < *timeout_ms)
        *timeout_ms = left_ms;
    return code;
}

/* The array must come from libcurl's own allocator, which the program may have chosen. */
static CURL **grow(const struct libcurl *libcurl, CURL **handles, size_t count, size_t more)
{
    size_t size = (count + more + 1) * sizeof *handles;
    CURL **grown = (CURL **)(void *)libcurl->maprintf("%*s", (int)size, "");

    if (grown) {
        memset(grown, 0, size);
        memcpy(grown, handles, count * sizeof *handles);
    }
    libcurl->free(handles);
    return grown;
}

CURL **loop_get_handles(struct multi *multi)
{
    CURL **handles = multi->libcurl->multi_get_handles(multi->real);
    size_t count = 0;

    if (!handles || (!multi->count[SEAT_PARKED] && !multi->hedges))
        return handles;
    for (size_t at = 0; handles[at]; at++)
        if (!hedge_of(multi, handles[at]))
            handles[count++] = handles[at];
    handles[count] = NULL;
    handles = grow(multi->libcurl, handles, count, multi->count[SEAT_PARKED]);
    for (struct handle *handle = multi->handles; handles && handle; handle = handle->seat.after)
        if (handle->seat.place == SEAT_PARKED)
            handles[count++] = handle->easy;
    return handles;
}

/* As in curl/multi.h of 8.16. */
enum { OFFT_CURRENT = 1, OFFT_RUNNING = 2 };

CURLMcode loop_get_offt(struct multi *multi, int info, curl_off_t *number)
{
    CURLMcode code = multi->libcurl->multi_get_offt(multi->real, info, number);

    if (code == CURLM_OK && (info == OFFT_CURRENT || info == OFFT_RUNNING))
        *number += multi->count[SEAT_PARKED] - hedge_count(multi);
    return code;
}
