/*
 * How many calls to a host are in flight at once, over all processes: each holds a place (state/places) from
 * its first attempt until it is over, its waits between attempts included. A policy without a bulkhead has
 * none.
 */
#ifndef GUSSET_GATE_BULKHEAD_H
#define GUSSET_GATE_BULKHEAD_H

#include "gate/gate.h"

/*
 * GO with a place, held until bulkhead_leave; LATER where all are held and the door may_wait, as long as the
 * rule and the call's deadline let it; REFUSE. Where the state has no room for places the call goes without
 * one.
 */
struct verdict bulkhead_ask(struct gate_call *call, bool may_wait);

/* Gives the place back. In a forked child it does nothing: the place is its parent's. */
void bulkhead_leave(struct gate_call *call);

/* A second place, for an attempt beside the first one: false where none is free. Given back by itself, or
 * with the first. */
bool bulkhead_takes_aside(struct gate_call *call);
void bulkhead_leave_aside(struct gate_call *call);

/* Whether a place's owner is gone: its process has ended, or cannot be seen and its lease is over. For
 * places_held.
 */
bool bulkhead_owner_is_gone(uint64_t owner, void *map);

#endif
