/*
 * Services of the registry, at the door of connect(2). A name that the DNS does not know is looked up as the
 * host where the service runs; a connect to what was found is led to the service's port there, and a try
 * after one that failed to another address of the service.
 */
#ifndef GUSSET_CONNECT_SERVICE_H
#define GUSSET_CONNECT_SERVICE_H

#include <netdb.h>
#include <sys/socket.h>

#include "gate/route.h"

/* The service of a name as programs look it up, where gusset acts for it; NULL: none. */
struct route *service_find(const char *name);

/*
 * getaddrinfo for a service: what all of its addresses lead to, those first that are well, with the port that
 * was asked for. The answer is libc's own, for freeaddrinfo. Returns what getaddrinfo does.
 */
int service_look_up(struct route *service, const char *name, const char *port, const struct addrinfo *hints,
                    struct addrinfo **result);

/* For functions that look one name up: the host of the address that is to be used. */
struct service_host {
    const char *asked;
    const char *name;              /* to be looked up */
    struct route_address *address; /* NULL: it is no service's */
};
struct service_host service_host(struct route *service, const char *name);
void service_learn_entry(struct route_address *address, const struct hostent *entry);

/* A connect(2) on its way to a service. */
struct service {
    struct route *known;         /* NULL: it goes to none */
    struct place at;             /* where the program wanted to go */
    struct sockaddr_storage led; /* where it goes */
};

/* Whether the name that led to an address is a service's. */
void service_ask(struct service *service, const struct gate_call *call, const struct place *named,
                 const struct place *at);

/* The call's next attempt: puts another address in the place of *to. */
void service_lead(struct service *service, struct gate_call *call, const struct sockaddr **to,
                  socklen_t length);

#endif
