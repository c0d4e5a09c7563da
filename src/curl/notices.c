#include "curl/notices.h"

#include "curl/hedge.h"
#include "curl/multi.h"

enum { READING, END }; /* CURLMNOTIFY_INFO_READ, CURLMNOTIFY_EASY_DONE */

static bool wants(const struct notices *notices, unsigned type)
{
    return notices->function && notices->wanted & 1u << type;
}

static void tell(struct multi *multi, unsigned type, CURL *easy)
{
    struct notices *notices = &multi->notices;

    if (!wants(notices, type))
        return;
    bool was_busy = multi->is_busy, was_telling = notices->is_telling;
    multi->is_busy = false;
    notices->is_telling = true;
    notices->function(multi->real, type, easy, notices->data);
    notices->is_telling = was_telling;
    multi->is_busy = was_busy;
}

/* The program hears of an attempt's end when its call is over, and never of a transfer that is not its own.
 */
static void hear_of_end(struct multi *multi, CURL *easy)
{
    struct handle *handle = handles_find(easy);

    if (handle && handle->seat.multi == multi && handle->seat.place != SEAT_RUNS)
        notices_of_end(handle);
    else if (!handle && !hedge_of(multi, easy))
        tell(multi, END, easy); /* a stream that a server pushed */
}

static void hear(CURLM *real, unsigned type, CURL *easy, void *data)
{
    struct multi *multi = data;

    (void)real;
    if (type == END) {
        hear_of_end(multi, easy);
    } else if (type == READING) {
        multi->notices.reader = easy;
        multi->notices.owes_reading = true;
    } else {
        tell(multi, type, easy);
    }
}

CURLMcode notices_setopt(struct multi *multi, int option, uint64_t word)
{
    struct notices *notices = &multi->notices;
    const struct libcurl *libcurl = multi->libcurl;
    CURLMcode code = libcurl->multi_setopt(multi->real, (CURLMoption)NOTICES_DATA, multi);

    if (code != CURLM_OK) /* it knows no notices */
        return code;
    if (option == NOTICES_DATA) {
        notices->data = (void *)(uintptr_t)word;
        return CURLM_OK;
    }
    notices->function = (notices_function *)(uintptr_t)word;
    return libcurl->multi_setopt(multi->real, (CURLMoption)NOTICES_FUNCTION, word ? hear : NULL);
}

void notices_want(struct multi *multi, unsigned type, bool is_wanted)
{
    if (type > END)
        return;
    if (is_wanted)
        multi->notices.wanted |= 1u << type;
    else
        multi->notices.wanted &= ~(1u << type);
}

void notices_of_end(struct handle *handle)
{
    struct notices *notices = &handle->seat.multi->notices;

    if (!notices->function)
        return;
    handle->seat.is_end_owed = notices->owes_ends = true;
    notices->owes_reading |= handle->seat.message.is_queued;
    if (!notices->reader)
        notices->reader = handle->easy;
}

/* Handles may come and go while the program is told, so the search for the next one begins anew. */
static struct handle *next_owed(const struct multi *multi)
{
    for (struct handle *handle = multi->handles; handle; handle = handle->seat.after)
        if (handle->seat.is_end_owed)
            return handle;
    return NULL;
}

void notices_tell(struct multi *multi)
{
    struct notices *notices = &multi->notices;
    struct handle *handle;

    while (notices->owes_ends && (handle = next_owed(multi))) {
        handle->seat.is_end_owed = false;
        tell(multi, END, handle->easy);
    }
    notices->owes_ends = false;
    if (notices->owes_reading) {
        notices->owes_reading = false;
        if (multi->messages.count || !multi->is_drained)
            tell(multi, READING, notices->reader);
    }
}
