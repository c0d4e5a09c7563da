/*
 * What other machines say is done here, with care: a circuit opens here for a few seconds at a time, as long
 * as another machine goes on saying that its own is open; it closes when that says that it has closed. Only
 * hosts that the state knows are meant, only closed circuits open, and only who was opened so is closed so.
 * Where this machine's calls go well, or where it has found out by itself that the host is well, no failures
 * of others count.
 */
#ifndef GUSSET_AGENT_FOLLOW_H
#define GUSSET_AGENT_FOLLOW_H

#include "agent/notice.h"
#include "config/rules.h"
#include "tool/reading.h"

enum { FOLLOW_MOST = 128 };

struct follow { /* zero: nothing yet */
    struct follow_one {
        uint64_t key;      /* of the host's slot; 0: free */
        uint64_t opening;  /* which is followed, or was */
        uint64_t doubt_ms; /* monotonic: until when it is not followed again; 0: it is */
    } ones[FOLLOW_MOST];
    unsigned next; /* the oldest, where all are taken */
};

/* Does what follows from the notices for the hosts of a look at the state. */
void follow_apply(struct follow *follow, struct reading *reading, const struct rules *rules,
                  const struct notice *notices, unsigned count);

#endif
