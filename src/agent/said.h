/*
 * What this machine says of its own circuits: which are open, and, for a while, which of those have closed.
 * What it follows others in is none of it, so nothing goes in circles.
 */
#ifndef GUSSET_AGENT_SAID_H
#define GUSSET_AGENT_SAID_H

#include "agent/notice.h"
#include "config/rules.h"
#include "tool/reading.h"

enum { SAID_MOST = 48 };

struct said { /* zero: nothing yet */
    struct said_one {
        struct notice notice; /* as it was said last */
        uint64_t until_ms;    /* of one that has closed: how long that is said; monotonic */
    } ones[SAID_MOST];
    unsigned count;
};

/* Writes the notices of a look at the state. Returns how many there are. */
unsigned said_write(struct said *said, struct reading *reading, const struct rules *rules, FILE *to);

#endif
