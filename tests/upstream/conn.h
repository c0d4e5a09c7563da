/* One connection: heads in, bodies in, replies out, faults to order, and again while it is kept.
 * What to answer is its group's business. */
#ifndef CONN_H
#define CONN_H

#include "loop.h"
#include "reply.h"

struct conn;

struct conn_group { /* the connections of one port */
    struct loop *loop;
    struct conn *first;
    size_t live;
    void *world; /* handed to answer() */

    /* Called once a head is complete, with an empty reply to fill. The request's body is read, and
     * kept in reply->body for REPLY_FROM_UPLOAD, before the reply begins. */
    void (*answer)(void *world, const struct request *request, struct reply *reply);
};

/* Takes a connected, non-blocking socket; closes it if it cannot. */
void conn_open(struct conn_group *group, int fd);

/* Resets every connection of the group. */
void conn_reset_all(struct conn_group *group);

#endif
