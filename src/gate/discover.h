/* The addresses of a service by DNS SRV: asked for when they are needed, kept for as long as their TTL says.
 */
#ifndef GUSSET_GATE_DISCOVER_H
#define GUSSET_GATE_DISCOVER_H

#include "config/arena.h"
#include "gate/route.h"

/* Addresses; the list is constant once it is published, and lives as long as the process. */
struct route_list {
    uint32_t count;
    struct route_address items[];
};

/* A list of one or more addresses like one that is given; NULL when memory fails. */
struct route_list *discover_list(struct arena *memory, const struct route_address *like, uint32_t count);

/* What is known of an SRV name. */
struct discover {
    struct route_address like;            /* scheme and path of all that is found; place is the SRV name */
    const char *domain;                   /* what is taken where there are no records */
    struct route_list *_Atomic published; /* NULL: nothing yet */
    _Atomic uint64_t until_ms;            /* monotonic: until when that holds */
};

/*
 * The addresses that hold now; asks the DNS where they are too old and may_ask (the caller can wait for some
 * seconds, and allocate). Where the DNS does not answer the old ones go on; where there are none, or the
 * server says that there are no records, it is the domain itself. NULL: nothing is known.
 */
struct route_list *discover_addresses(struct discover *discover, struct arena *memory, bool may_ask);

#endif
