/*
 * Whether a connect may keep its program waiting, and for how long: for a token, a place, a circuit that
 * closes, or another try.
 */
#ifndef GUSSET_CONNECT_STAY_H
#define GUSSET_CONNECT_STAY_H

#include "connect/attempt.h"

/*
 * Whether the program may be kept waiting: on a socket that blocks, or for as long as retry.wait allows,
 * which hold_until_us then says.
 */
bool stay_may(struct attempt *attempt);

/* No wait that the gate asks for may be longer than the program may be kept. Returns what the deadline was.
 */
uint64_t stay_narrow(struct attempt *attempt);

/* Sleeps; returns -EINTR when a signal ended it. */
int stay_ms(uint32_t ms);

/*
 * Asks the gate until it says GO (false) or REFUSE (true). What must not be kept waiting is refused instead;
 * so is a call whose wait a signal ends, since the program may mean it.
 */
bool stay_refused(struct attempt *attempt);

#endif
