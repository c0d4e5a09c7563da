/*
 * Messages of transfers that have ended, between libcurl and the program. gusset must see them as soon as
 * they are there, because programs leave their loop when nothing runs any more; those that are the
 * program's wait here until it asks. What it was given stays valid until the handle goes, as libcurl's.
 */
#ifndef GUSSET_CURL_MESSAGES_H
#define GUSSET_CURL_MESSAGES_H

#include "curl/seat.h"

/* A message's place for a handle whose birth was not seen; kept until the multi handle goes. */
struct messages_stranger {
    struct seat_message slot;
    struct messages_stranger *next;
};

struct messages {
    struct seat_message *first;
    struct seat_message *last;
    int count;
    struct messages_stranger *spare; /* for the next one */
    struct messages_stranger *strangers;
};

/* Queues a message in the handle's own place. */
void messages_put(struct messages *messages, struct seat_message *slot, const CURLMsg *message);

/* Makes sure that a message of a handle that nobody knows can be kept. Returns false without memory. */
bool messages_have_spare(struct messages *messages);

/* Queues such a message; only after messages_have_spare said yes. */
void messages_put_stranger(struct messages *messages, const CURLMsg *message);

/* The oldest, or NULL. */
CURLMsg *messages_take(struct messages *messages);

/* The handle is leaving: what is queued of it is dropped. */
void messages_drop(struct messages *messages, CURL *easy);

void messages_clear(struct messages *messages);

#endif
