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

/*
 * The circuit is closed without a failure, the host has not asked to be left alone, and neither token nor
 * place is needed: the way of nearly every call. (Without a breaker nobody but trip writes to the circuit.)
 */
static inline bool inside_is_quiet(const struct layout_host *slot)
{
    return (atomic_load_explicit(&slot->circuit, memory_order_relaxed) |
            atomic_load_explicit(&slot->patience_ms, memory_order_relaxed)) == breaker_closed();
}

static inline bool inside_is_free_to_go(const struct gate_call *call)
{
    return !(inside_settings(call)->groups & (POLICY_LIMIT | POLICY_BULKHEAD | POLICY_FAULT)) &&
           inside_is_quiet(call->slot);
}

/*
 * Before words are read or changed long after the call was opened: its memory may have been given to another
 * host meanwhile (state/slots), which must not pay for what befell this one. Then it has a new one.
 */
void gate_recall(struct gate_call *call);

/* Whether a rule matches under which gusset acts for a connect there: neither off nor shadow. */
bool gate_enforces(const struct ready *ready, const struct place *place);

#endif
