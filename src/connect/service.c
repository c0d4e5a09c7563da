#include "connect/service.h"

#include <netinet/in.h>
#include <string.h>

#include "connect/names.h"
#include "connect/peer.h"
#include "gate/choice.h"
#include "sys/real.h"

struct route *service_find(const char *name)
{
    struct place place;
    size_t length = strnlen(name, PLACE_NAME_MAX + 2);

    if (!place_from_host(&place, name, length, 0) || place.family != PLACE_NAME)
        return NULL;
    return route_look_up(&place);
}

/* ---- looking up ---- */

static void learn(struct route_address *address, const struct addrinfo *found)
{
    struct place place;

    for (; found; found = found->ai_next)
        if (found->ai_addr && peer_of(&place, found->ai_addr, found->ai_addrlen))
            route_learn(address, &place);
}

void service_learn_entry(struct route_address *address, const struct hostent *entry)
{
    enum place_family family = entry->h_addrtype == AF_INET6 ? PLACE_IPV6 : PLACE_IPV4;
    struct place place;

    for (char **one = entry->h_addr_list; one && *one; one++) {
        place_from_address(&place, family, *one, 0);
        route_learn(address, &place);
    }
}

/* Those that are well, and behind them those that are not. */
static unsigned put_in_order(struct route *service, struct route_address *addresses[ROUTE_MOST])
{
    struct route_address *all[ROUTE_MOST];
    unsigned count = route_addresses(service, true, all), well = 0, unwell = 0;
    bool is_well[ROUTE_MOST];

    for (unsigned i = 0; i < count; i++) {
        is_well[i] = count == 1 || choice_is_well(service, all[i], 0);
        well += is_well[i];
    }
    for (unsigned i = 0; i < count; i++)
        addresses[is_well[i] ? i - unwell : well + unwell++] = all[i];
    return count;
}

/* Each answer is a list of blocks that libc frees one by one, so that lists may be joined. */
int service_look_up(struct route *service, const char *name, const char *port, const struct addrinfo *hints,
                    struct addrinfo **result)
{
    struct route_address *addresses[ROUTE_MOST];
    unsigned count = put_in_order(service, addresses);
    struct addrinfo *first = NULL, **end = &first;
    int code = count ? 0 : real.getaddrinfo(name, port, hints, result);

    for (unsigned i = 0; i < count; i++) {
        int one = real.getaddrinfo(addresses[i]->place.name, port, hints, end);
        if (one != 0) {
            code = one;
            *end = NULL;
            continue;
        }
        learn(addresses[i], *end);
        while (*end)
            end = &(*end)->ai_next;
    }
    if (!first)
        return code;
    names_remember(name, first);
    *result = first;
    return 0;
}

struct service_host service_host(struct route *service, const char *name)
{
    struct route_address *addresses[ROUTE_MOST];

    if (put_in_order(service, addresses) == 0)
        return (struct service_host){name, name, NULL};
    return (struct service_host){name, addresses[0]->place.name, addresses[0]};
}

/* ---- connecting ---- */

void service_ask(struct service *service, const struct gate_call *call, const struct place *named,
                 const struct place *at)
{
    service->known = route_of(call, named);
    service->at = *at;
}

/* IPv4 may be meant by an IPv6 socket, in its mapped form. */
static void write_address(struct sockaddr_storage *led, const struct place *place, uint16_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in *in = (struct sockaddr_in *)led;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)led;

    if (led->ss_family == AF_INET) {
        memcpy(&in->sin_addr, place->address, sizeof in->sin_addr);
        in->sin_port = htons(port);
        return;
    }
    in6->sin6_port = htons(port);
    if (place->family == PLACE_IPV6) {
        memcpy(&in6->sin6_addr, place->address, sizeof in6->sin6_addr);
    } else {
        memcpy(&in6->sin6_addr, mapped, sizeof mapped);
        memcpy((char *)&in6->sin6_addr + sizeof mapped, place->address, 4);
    }
}

/* The first try goes where the program looked the name up to; another may go to any address of the service.
 */
void service_lead(struct service *service, struct gate_call *call, const struct sockaddr **to,
                  socklen_t length)
{
    bool is_first = call->attempt == 1;
    const struct choice_wish wish = {
        .port = service->at.port, .family = service->at.family, .at = is_first ? &service->at : NULL};
    struct route_address *address = choice_make(call, service->known, &wish);
    struct place place = service->at;

    if (!address || (!is_first && !route_leads(address, (enum place_family)service->at.family, &place)))
        return;
    if (*to != (const struct sockaddr *)&service->led)
        memcpy(&service->led, *to, length);
    write_address(&service->led, &place, address->place.port ? address->place.port : service->at.port);
    *to = (const struct sockaddr *)&service->led;
}
