/*
 * The door by which simulated calls come to the gate: it takes the steps that curl/easy takes with libcurl,
 * and whoever uses it tells how each attempt ended. Without a query the call is bare, as without gusset.
 *
 *     door_open → { door_go → (wait) → attempt → door_ended } …
 */
#ifndef GUSSET_SIM_DOOR_H
#define GUSSET_SIM_DOOR_H

#include "gate/gate.h"

enum door_step {
    DOOR_ATTEMPT, /* make an attempt now */
    DOOR_WAIT,    /* wait, then door_go */
    DOOR_OVER     /* the call has ended */
};

struct door_move {
    enum door_step step;
    uint64_t wait_us;
};

struct door {
    struct gate_call gate;
    bool is_gated;
    bool is_connect; /* as at the other door: no request, and its limit is the one on connecting */
    bool is_granted; /* the next attempt has been waited for, and need not be asked for */
    bool is_refused; /* it ended so */
    bool is_good;    /* it ended so */
    uint32_t attempts;
    struct outcome outcome; /* the last one */
};

void door_open(struct door *door, const struct rules_query *query);

/* The call begins, or has waited. Never DOOR_WAIT twice without time in between. */
struct door_move door_go(struct door *door);

/* How long the attempt that begins now may take; UINT64_MAX: as long as it does. */
uint64_t door_limit_us(const struct door *door);

/* How an attempt ended; the fields of *attempt that a bare call does not ask for may be zero. */
struct door_move door_ended(struct door *door, const struct gate_attempt *attempt);

/* What an attempt comes to that took longer than it may. */
struct outcome door_late(const struct door *door);

#endif
