/*
 * gusset made ready in a process: which rules hold, where the shared state is, what the environment
 * says. Done at the first intercepted call, not when the program starts, so that `ls` pays nothing.
 */
#ifndef GUSSET_GATE_READY_H
#define GUSSET_GATE_READY_H

#include <stdbool.h>

#include "config/rules.h"
#include "state/map.h"

/* What a ready process holds; constant once it is published. */
struct ready {
    const struct rules *rules;
    const struct rules_globals *globals;
    struct map state;
    struct map tally;     /* the count of one `gusset run --report`; not open otherwise */
    int environment_mode; /* enum policy_mode from GUSSET_MODE; -1: not given */
};

/*
 * Makes gusset ready if it is not. may_compile where the caller may allocate (not in connect). Cheap
 * once done; takes no lock. Returns NULL while there is nothing to do: no configuration, a faulty one (told
 * once on standard error), switched off, a program that is to be skipped, a privileged one.
 */
struct ready *gate_ready(bool may_compile);

/* Switches gusset off in this process for good: the constructor of a privileged program. */
void gate_stay_inert(void);

#endif
