/*
 * A record of calls (report/record), gone through once more under other rules on the virtual clock. Calls
 * begin when they began. A call's first attempt ends as it did; any later one, or the first of a call that
 * was refused, ends as one of the attempts of the same host that lie nearest in time.
 */
#ifndef GUSSET_SIM_REPLAY_H
#define GUSSET_SIM_REPLAY_H

#include "config/rules.h"
#include "sim/past.h"
#include "sim/result.h"
#include "sim/trace.h"
#include "sim/watch.h"

/* What would have been. */
struct replay_count {
    uint64_t unmatched; /* calls that no rule means: as they were */
    uint64_t attempts, good, refused;
    uint64_t hedged;    /* attempts beside another */
    uint64_t hedge_won; /* calls whose reply was such a one's */
    uint64_t saved;     /* calls that did not end well, and would have */
    uint64_t lost;      /* the other way round */
};

struct replay_outcome {
    struct past_count *was;     /* of each host */
    struct replay_count *would; /* of each host */
    struct result before, after;
};

/*
 * Goes through the trace (in order) under the rules; watch is told how far it is, or NULL. replay_clear ends
 * *outcome. Returns 0, or -errno.
 */
int replay_run(const struct trace *trace, const struct rules *rules, const struct watch *watch,
               struct replay_outcome *outcome);
void replay_clear(struct replay_outcome *outcome);

#endif
