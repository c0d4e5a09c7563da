/* Once more, or done? What the rule says of an attempt that failed. */
#ifndef GUSSET_GATE_JUDGE_H
#define GUSSET_GATE_JUDGE_H

#include "gate/gate.h"

/*
 * AGAIN after wait_ms, for which budget and token are taken, or STOP with its reason. circuit_open: the
 * host's circuit would refuse the next attempt.
 */
struct verdict judge_failure(struct gate_call *call, const struct gate_attempt *attempt, bool circuit_open,
                             uint64_t now_us);

/* After STOP (call->last): whether tries ran out, for whatever reason. */
bool judge_is_lost(const struct gate_call *call);

#endif
