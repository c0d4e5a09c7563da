/*
 * A host that asked to be left alone (Retry-After) is left alone by all processes: the next call waits where
 * it may, for as long as retry.retry_after allows and its deadline leaves; where it may not, it goes, and the
 * host itself answers it.
 */
#ifndef GUSSET_GATE_PATIENCE_H
#define GUSSET_GATE_PATIENCE_H

#include "gate/gate.h"

/* GO, or LATER where the door may_wait. */
struct verdict patience_ask(struct gate_call *call, bool may_wait);

/* An attempt ended so that the host asked for retry_after_ms. */
void patience_learn(struct gate_call *call, int64_t retry_after_ms, uint64_t now_ms);

#endif
