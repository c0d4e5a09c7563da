/*
 * Which address of a service an attempt goes to. Addresses are tried in the order of the configuration; one
 * that failed is passed over for a while, by all processes of the user, until a probe finds it well again (a
 * circuit of its own, core/breaker). Takes no lock and no malloc, as all of the gate.
 */
#ifndef GUSSET_GATE_CHOICE_H
#define GUSSET_GATE_CHOICE_H

#include "gate/route.h"

/* What a door can use. */
struct choice_wish {
    bool is_encrypted;      /* not an address that speaks plain HTTP */
    bool may_ask;           /* the DNS may be asked, which takes its time */
    uint16_t port;          /* that was asked for */
    uint8_t family;         /* enum place_family: only what is known to lead to one of these; 0: anything */
    const struct place *at; /* only what leads to this address; NULL: anything */
};

/*
 * Where the call's next attempt goes; NULL when no address fits the wish. gate_ended will count the outcome
 * for the address, where the service has several.
 */
struct route_address *choice_make(struct gate_call *call, struct route *route,
                                  const struct choice_wish *wish);

/* Whether the address has not failed of late, as far as anybody knows; port is the asked one, 0: not known.
 */
bool choice_is_well(const struct route *route, const struct route_address *address, uint16_t port);

/* For the gate: an attempt ended. */
void choice_ended(struct gate_call *call, const struct outcome *outcome);

#endif
