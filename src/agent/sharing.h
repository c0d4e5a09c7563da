/*
 * Which circuits are other machines' business, and whose cause they have. What means another thing on each
 * machine is not: loopback, unix sockets, services that run there.
 */
#ifndef GUSSET_AGENT_SHARING_H
#define GUSSET_AGENT_SHARING_H

#include "config/rules.h"
#include "tool/reading.h"

/* rules: those that hold here, or NULL. */
bool sharing_is_meant(const struct snapshot *host, const struct rules *rules);

/* Whether the circuit was opened by hand; health checks are no hand. */
bool sharing_is_by_hand(const struct snapshot *host, const struct reading *reading);

/* Whether calls of this machine to the host go well just now: some in the last fifth of the window, no
 * failure. */
bool sharing_goes_well(const struct snapshot *host, struct reading *reading);

/* A number for the state file that is looked at: of this machine, this boot and this file; 0: there is none.
 */
uint64_t sharing_memory(const struct reading *reading);

#endif
