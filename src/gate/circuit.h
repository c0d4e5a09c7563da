/*
 * What a call asks of its host's circuit, and tells it: the breaker's rules (core/breaker) over the word that
 * all processes share. A policy without a breaker has no circuit: each function then does nothing.
 */
#ifndef GUSSET_GATE_CIRCUIT_H
#define GUSSET_GATE_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/gate.h"
#include "gate/inside.h"
#include "gate/slice.h"

/*
 * GO (call->round says whether as a probe), REFUSE, or LATER: where the rule says `wait`, the door may_wait,
 * and the call's deadline has not passed.
 */
struct verdict circuit_ask(struct gate_call *call, bool may_wait);

/* A probe that will not be made, or tells nothing, gives its place back. */
void circuit_withdraw(struct gate_call *call);

/* Whether the attempt failed for the circuit's purposes. */
bool circuit_counts_as_failure(const struct gate_call *call, const struct gate_attempt *attempt);

/*
 * An attempt ended badly, call->failed says whether for the circuit's purposes; one whose outcome says
 * nothing of the host gives its probe back. Returns whether the next attempt is refused.
 */
bool circuit_tell(struct gate_call *call, const struct gate_attempt *attempt, uint64_t now_us);

/* Moves the circuit on after an attempt that was counted; returns whether it refuses the next one. */
bool circuit_move(struct gate_call *call, uint64_t now_ms);

/*
 * The attempt's reply has begun, or it has failed: where the policy calls some slow, counts it as such or
 * not. Once an attempt.
 */
void circuit_time(struct gate_call *call, uint64_t now_us);

/* Counts an attempt where another slice of the window begins. */
void circuit_count_anew(struct gate_call *call, uint64_t now_us, bool failed);

/* Counts an attempt. One that was counted as good when it began is not counted again. */
static inline void circuit_count(struct gate_call *call, uint64_t now_us, bool failed)
{
    if (!slice_count_now(&call->outcome_slice, now_us, !call->is_answered, failed))
        circuit_count_anew(call, now_us, failed);
}

/*
 * An attempt ended well, call->failed is false, the policy has a breaker. Where none has failed it changes
 * nothing; else it breaks a row of failures, and once more where it was answered: resets end late, too.
 */
static inline void circuit_tell_success(struct gate_call *call, uint64_t now_us)
{
    if (!call->is_answered)
        circuit_count(call, now_us, false);
    if (call->is_slow || atomic_load_explicit(&call->slot->circuit, memory_order_relaxed) != breaker_closed())
        circuit_move(call, now_us / 1000);
}

#endif
