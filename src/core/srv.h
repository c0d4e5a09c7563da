/*
 * SRV records (RFC 2782) in a DNS message (RFC 1035): read with care, since a stranger may have written it,
 * and the choice among them by priority and weight.
 */
#ifndef GUSSET_CORE_SRV_H
#define GUSSET_CORE_SRV_H

#include <stddef.h>
#include <stdint.h>

#include "core/place.h"

enum { SRV_MOST = 16 };

struct srv_record {
    uint16_t priority, weight;
    struct place place; /* target and port */
};

struct srv_answer {
    uint32_t count;
    uint32_t ttl_s; /* the shortest of theirs */
    struct srv_record records[SRV_MOST];
};

enum srv_verdict {
    SRV_FOUND,
    SRV_NONE,    /* there are no such records, by the server's word */
    SRV_REFUSED, /* the one record says that there is no such service (its target is the root) */
    SRV_BROKEN   /* no answer to such a question, or the server failed */
};

/*
 * Reads a reply; SRV_FOUND: the records in order of priority, then of target and port, those past SRV_MOST
 * and those whose target is no host's name left out.
 */
enum srv_verdict srv_read(struct srv_answer *answer, const uint8_t *message, size_t length);

/*
 * One of count (>= 1) records of the same priority, by weight: the index. One of weight 0 is chosen rarely
 * where others have one. dice is random.
 */
unsigned srv_pick(const uint16_t *weights, unsigned count, uint32_t dice);

#endif
