/*
 * A token for each attempt, where the rule limits their rate: the bucket (core/limit) is one word in the
 * host's memory, or in one of its own where the rule has a key.
 */
#ifndef GUSSET_GATE_BUCKET_H
#define GUSSET_GATE_BUCKET_H

#include "gate/gate.h"

/*
 * GO with a token; WAIT where the door may_wait and the rule and the call's deadline let it: the token is
 * taken and good by then; REFUSE. A token that was promised before (call->has_token) is handed out first.
 */
struct verdict bucket_ask(struct gate_call *call, bool may_wait);

#endif
