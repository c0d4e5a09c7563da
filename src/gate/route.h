/*
 * Where a service may run: its addresses, as doors know them, and what look-ups of their names have led to.
 * Takes no lock and no malloc, as all of the gate.
 */
#ifndef GUSSET_GATE_ROUTE_H
#define GUSSET_GATE_ROUTE_H

#include "core/endpoint.h"
#include "gate/gate.h"

enum { ROUTE_MOST = 32, ROUTE_LEADS = 8 };

struct discover;

/* Where a service may run. It lives as long as the process; all but the leads is constant. */
struct route_address {
    enum endpoint_scheme scheme;
    struct place place; /* port 0: the one that was asked for */
    const char *path;   /* "/api/v1", not NUL-terminated */
    size_t path_length;
    uint16_t priority, weight; /* among those of one SRV name; 0 otherwise */
    _Atomic uint32_t learnt;
    struct route_lead { /* what look-ups of its name led to; the hash is right where the rest is whole */
        _Atomic uint64_t hash, halves[2];
        _Atomic uint32_t family;
    } leads[ROUTE_LEADS];
};

/*
 * A service, as doors know it: made when it is first asked for, a copy of what the rules say, so that it
 * outlives them; the same service in other rules is the same route.
 */
struct route {
    uint64_t digest; /* of all that follows, but next */
    struct route *next;
    const char *name;
    bool prefix, credentials, keeps_host; /* its settings */
    uint32_t url_count;
    struct discover *urls; /* url_count of them */
};

/* The service that a place names in the rules that the call holds; NULL: none. Likewise of ready's rules. */
struct route *route_of(const struct gate_call *call, const struct place *place);

/* The same for a look-up, where gusset acts on connects to the place; rules that have changed are taken
 * first. */
struct route *route_look_up(const struct place *place);

/* Whether an attempt may go to another address than the last one. */
bool route_may_change(const struct route *route);

/* All addresses of a service, in their order; returns how many. */
unsigned route_addresses(struct route *route, bool may_ask, struct route_address *addresses[ROUTE_MOST]);

/* A look-up of the address's name has led to this one. */
void route_learn(struct route_address *address, const struct place *found);

/* An address of that family that a look-up has led to, or that it says itself. False when none is known. */
bool route_leads(struct route_address *address, enum place_family family, struct place *found);

/* Whether it is that address, or a look-up of its name has led there. */
bool route_leads_to(struct route_address *address, const struct place *at);

#endif
