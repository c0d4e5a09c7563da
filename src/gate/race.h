/*
 * A second attempt at the same time (`hedge`), where the first has not begun to answer: whichever answers
 * first is the call's. It is paid from the retry budget, so that a slow host is not asked for more than its
 * retries.
 *
 *     race_due_us → race_begins → race_won | race_lost | race_goes_on → race_over
 */
#ifndef GUSSET_GATE_RACE_H
#define GUSSET_GATE_RACE_H

#include "core/method.h"
#include "gate/gate.h"

enum { RACE_SAMPLES = 20 }; /* a quantile of fewer latencies says nothing */

/* What may be asked for twice at the same time. */
enum { RACE_METHODS = METHOD_GET | METHOD_HEAD };

/* How long after its beginning the call's first attempt is to have a second beside it, in µs; 0: never. */
uint64_t race_after_us(const struct gate_call *call);

/* The same as a moment, monotonic; 0: never, or not before the call's end. */
uint64_t race_due_us(const struct gate_call *call);

/* That time has come: whether a second attempt is made. It is counted as one. */
bool race_begins(struct gate_call *call);

/* The first attempt failed so: whether the second takes its place. */
bool race_is_wanted(const struct gate_call *call, const struct outcome *outcome);

/* The second attempt has ended so, or its reply begins so, while the first is under way: whether that is
 * nothing to choose it for. */
bool race_is_lost_by(const struct gate_call *call, const struct outcome *outcome);

/* After VERDICT_RACED: the second attempt is the call's current one from here. */
void race_goes_on(struct gate_call *call);

/* The second was the current attempt, and what came of it is of no use: the attempt is made anew. */
void race_is_void(struct gate_call *call);

/* The second answered first: its reply is the first attempt's. */
void race_won(struct gate_call *call);

/* The second has failed by itself, while the first is still under way: counted as any attempt. */
void race_lost(struct gate_call *call, const struct gate_attempt *attempt);

/* There is no second attempt any more. One that was given up counts for nobody. */
void race_over(struct gate_call *call);

/* Shadow: a call has ended that may have been hedged. */
void race_would(struct gate_call *call);

#endif
