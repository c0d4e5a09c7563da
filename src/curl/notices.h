/*
 * libcurl's notices (8.17 and later), on their way to the program's function: libcurl's messages are read by
 * gusset first, so it is told of those that are left for it, and of a transfer's end when its call is over.
 * It hears of them at the end of a turn, where it may ask the multi handle all that it may ask in libcurl.
 */
#ifndef GUSSET_CURL_NOTICES_H
#define GUSSET_CURL_NOTICES_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct handle;
struct multi;

typedef void notices_function(CURLM *real, unsigned type, CURL *easy, void *data);

struct notices {
    notices_function *function; /* the program's; NULL: none */
    void *data;
    unsigned wanted;   /* what the program has enabled, a bit a type */
    CURL *reader;      /* of whom libcurl says that there is something to read: a handle of its own */
    bool owes_reading; /* there may be messages that the program was not told of */
    bool owes_ends;    /* of some handle that its transfer has ended (seat.is_end_owed) */
    bool is_telling;   /* the program's function is at work */
};

/* curl_multi_setopt(CURLMOPT_NOTIFYFUNCTION or CURLMOPT_NOTIFYDATA). */
enum { NOTICES_FUNCTION = CURLOPTTYPE_FUNCTIONPOINT + 18, NOTICES_DATA = CURLOPTTYPE_OBJECTPOINT + 19 };
CURLMcode notices_setopt(struct multi *multi, int option, uint64_t word);

/* curl_multi_notify_enable, curl_multi_notify_disable: libcurl has taken that type as wanted, or as not. */
void notices_want(struct multi *multi, unsigned type, bool is_wanted);

/* A call is over, and its message lies ready. */
void notices_of_end(struct handle *handle);

/* Tells the program what it was not told yet. */
void notices_tell(struct multi *multi);

#endif
