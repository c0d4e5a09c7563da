/*
 * Has the machine lost its network? Then every host fails, and none is to blame: circuits stay as they are.
 * It has where two different hosts failed within a while by what can be this machine's fault (no route, no
 * name), and nothing has gone well since the first of them. Learnt from the calls alone, over all processes.
 */
#ifndef GUSSET_GATE_NETWORK_H
#define GUSSET_GATE_NETWORK_H

#include "gate/gate.h"

/* An attempt failed. Returns whether the network is what failed. */
bool network_has_failed(struct gate_call *call, const struct outcome *outcome, uint64_t now_ms);

/* A call ended well while the network was suspected: unless it stayed on this machine, that is over. */
void network_works(struct gate_call *call, uint64_t now_ms);

/* Whether network_works must be told. */
static inline bool network_is_suspected(const struct gate_call *call)
{
    return atomic_load_explicit(&call->ready->state.header->suspect, memory_order_relaxed) != 0;
}

#endif
