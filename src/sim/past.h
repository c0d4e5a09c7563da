/* Recorded calls as they were, told as a simulation's are. */
#ifndef GUSSET_SIM_PAST_H
#define GUSSET_SIM_PAST_H

#include "sim/result.h"
#include "sim/trace.h"

struct past_count {
    uint64_t calls, attempts, good, refused;
    uint64_t hedged; /* attempts beside another */
};

/* Fills in a result that was begun, and a count for each host, all zero before. Returns 0 or -ENOMEM. */
int past_tell(const struct trace_call *calls, uint32_t call_count, struct result *result,
              struct past_count *hosts);

#endif
