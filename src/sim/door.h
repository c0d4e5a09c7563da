/*
 * The door by which simulated calls come to the gate: it takes the steps that curl/easy takes with libcurl,
 * and whoever uses it tells how each attempt ended. Without a query the call is bare, as without gusset.
 *
 *     door_open → { door_go → (wait) → attempt → door_ended } …
 *
 * Where the rule has a hedge, a second attempt may be under way beside the first from door_hedges on. The
 * two are told apart by their lanes; each step but DOOR_RUNS ends what is still under way in the other one.
 */
#ifndef GUSSET_SIM_DOOR_H
#define GUSSET_SIM_DOOR_H

#include "gate/gate.h"

enum door_lane { DOOR_FIRST, DOOR_SECOND, DOOR_LANES };

enum door_step {
    DOOR_ATTEMPT, /* make an attempt now, in the first lane */
    DOOR_WAIT,    /* wait, then door_go */
    DOOR_RUNS,    /* the attempt in the other lane goes on */
    DOOR_OVER     /* the call has ended */
};

struct door_move {
    enum door_step step;
    uint64_t wait_us;
};

struct door {
    struct gate_call gate;
    bool is_gated;
    bool is_connect;        /* as at the other door: no request, and its limit is the one on connecting */
    bool is_granted;        /* the next attempt has been waited for, and need not be asked for */
    bool is_refused;        /* it ended so */
    bool is_good;           /* it ended so */
    bool is_rescued;        /* it ended well, after an attempt that did not */
    bool is_won;            /* by a second attempt, whose reply was the call's */
    enum door_lane current; /* the gate's current attempt */
    uint32_t attempts;      /* made, second ones too */
    struct outcome outcome; /* the last one */
};

void door_open(struct door *door, const struct rules_query *query);

/* The call begins, or has waited. Never DOOR_WAIT twice without time in between. */
struct door_move door_go(struct door *door);

/* How long the attempt that begins now in the lane may take; UINT64_MAX: as long as it does. */
uint64_t door_limit_us(const struct door *door, enum door_lane lane);

/* After how long, from now, the attempt that begins now in the first lane is to have another beside it,
 * unless it has ended by then; UINT64_MAX: never. */
uint64_t door_hedge_us(const struct door *door);

/* That time has come: whether an attempt is made in the second lane, now. */
bool door_hedges(struct door *door);

/* How the attempt in the lane ended; the fields of *attempt that a bare call does not ask for may be zero. */
struct door_move door_ended(struct door *door, enum door_lane lane, const struct gate_attempt *attempt);

/* What an attempt comes to that took longer than it may. */
struct outcome door_late(const struct door *door);

#endif
