/*
 * What the files of this room share, and no other room needs: questions to an opened call.
 */
#ifndef GUSSET_GATE_INSIDE_H
#define GUSSET_GATE_INSIDE_H

#include <stdbool.h>

#include "core/breaker.h"
#include "gate/gate.h"

static inline const struct policy *inside_settings(const struct gate_call *call)
{
    return call->policy->settings;
}

static inline bool inside_applies(const struct gate_call *call, enum policy_group group)
{
    return inside_settings(call)->groups & group;
}

/* The circuit is closed and no token is needed: the way of nearly every call. */
static inline bool inside_is_free_to_go(const struct gate_call *call)
{
    if (inside_settings(call)->groups & (POLICY_LIMIT | POLICY_FAULT))
        return false;
    return !inside_applies(call, POLICY_BREAKER) ||
           breaker_state(atomic_load_explicit(&call->slot->circuit, memory_order_relaxed)) == BREAKER_CLOSED;
}

#endif
