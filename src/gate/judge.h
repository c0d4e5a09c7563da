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

/* One retry out of the budget that all processes share, of which rule says the size; false: it is spent. */
bool judge_takes_budget(struct gate_call *call, const struct retry_rule *rule, uint64_t now_us);

/* Where the rule has no tries, what counts against the host is a failure; without a breaker, what would. */
bool judge_is_failure(const struct gate_call *call);

/* After STOP (call->last): whether tries ran out, for whatever reason. */
bool judge_is_lost(const struct gate_call *call);

#endif
