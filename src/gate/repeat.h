/* A call like the one before it on the same record, in two steps (gate_repeat, gate_repeated). */
#ifndef GUSSET_GATE_REPEAT_H
#define GUSSET_GATE_REPEAT_H

#include "gate/gate.h"

/* Whether a call that has ended well at its first attempt may be followed by such a one. */
bool repeat_may_follow(const struct gate_call *call);

#endif
