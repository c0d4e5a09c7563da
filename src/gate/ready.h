/*
 * gusset made ready in a process: which rules hold, where the shared state is, what the environment
 * says. Done at the first intercepted call, not when the program starts, so that `ls` pays nothing.
 */
#ifndef GUSSET_GATE_READY_H
#define GUSSET_GATE_READY_H

#include <stdbool.h>

#include "config/rules.h"
#include "state/map.h"

/*
 * What a ready process holds; constant once it is published, and never unmapped, but for the rules: when they
 * have changed another one is published (gate/refresh), and those of this one end when nobody holds it any
 * more.
 */
struct ready {
    uint64_t number; /* of these rules; never used twice in a process */
    const struct rules *rules;
    const struct rules_globals *globals;
    struct map state;
    struct map tally;     /* the count of one `gusset run --report`; not open otherwise */
    uint64_t ends_us;     /* monotonic: until when calls may go on (gate/until); 0: as long as they like */
    uint64_t changes;     /* state/control.h: how many there had been when the process was made ready */
    int environment_mode; /* enum policy_mode from GUSSET_MODE; -1: not given */
    _Atomic uint64_t holders;
    struct ready *next; /* of those that have been replaced */
};

/*
 * Which rules are published and where their state is, for who has no time to look at the record; number 0:
 * none are. Both are told a moment after the record is published.
 */
extern struct ready_now {
    _Atomic uint64_t number;
    struct layout_header *_Atomic header;
} ready_now __attribute__((visibility("hidden")));

/*
 * Makes gusset ready if it is not. may_compile where the caller may allocate (not in connect). Cheap
 * once done; takes no lock. Returns NULL while there is nothing to do: no configuration, a faulty one (told
 * once on standard error), switched off, a program that is to be skipped, a privileged one.
 */
struct ready *gate_ready(bool may_compile);

/*
 * What is published, held: its rules stay until ready_drop. NULL where gate_ready is. No lock: who replaces
 * it looks at the holders after it has published another, who holds looks at what is published after it has
 * counted itself.
 */
struct ready *ready_hold(void);
void ready_drop(struct ready *ready);

/* Puts other rules in the place of the published ones; the state and the environment's words stay. */
void ready_replace(const struct rules *rules);

/*
 * From now on this is what is ready, whatever the environment says; NULL: nothing yet. For who brings a state
 * and rules of his own (sim/); the caller keeps it, and ends no call after it that began before.
 */
void ready_use(struct ready *ready);

/* Switches gusset off in this process for good: the constructor of a privileged program. */
void gate_stay_inert(void);

/*
 * The same once it is ready: gate_ready is NULL from now on, in the forked children, too. Calls under way end
 * as they began, with what they hold. Makes no system call.
 */
void ready_retire(void);

#endif
