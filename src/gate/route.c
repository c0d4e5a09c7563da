#include "gate/route.h"

#include <string.h>

#include "config/arena.h"
#include "core/srv.h"
#include "gate/discover.h"
#include "gate/inside.h"
#include "gate/refresh.h"
#include "sys/random.h"

static struct arena memory;
static struct route *_Atomic first;

/* ---- services ---- */

static uint64_t add_word(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return digest ^ digest >> 32;
}

static uint64_t add_text(uint64_t digest, const char *text, size_t length)
{
    digest = add_word(digest, length);
    for (size_t i = 0; i < length; i++)
        digest = (digest ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static uint64_t digest_of(const struct rules_service *service)
{
    const struct settings_service *settings = service->settings;
    uint64_t digest = add_text(0, service->name, strlen(service->name));

    digest = add_word(digest, settings->prefix | settings->credentials << 1 | settings->host << 2);
    for (uint32_t i = 0; i < service->url_count; i++) {
        const struct endpoint *url = &service->urls[i];
        digest =
            add_word(digest, (uint64_t)url->scheme << 32 | (uint32_t)url->is_srv << 16 | url->place.port);
        digest = add_text(digest, url->place.name, url->place.name_length);
        digest = add_text(digest, url->path, url->path_length);
    }
    return digest;
}

static const char *keep(const char *text, size_t length)
{
    char *copy = arena_take(&memory, length + 1);

    if (copy)
        memcpy(copy, text, length);
    return copy ? copy : "";
}

/* An address that is said is known for good; one of SRV records is found when it is needed. */
static void take_url(struct discover *discover, const struct endpoint *url)
{
    struct route_address *like = &discover->like;

    like->scheme = url->scheme;
    like->place = url->place;
    like->path = keep(url->path, url->path_length);
    like->path_length = *like->path ? url->path_length : 0;
    if (url->is_srv) {
        const char *domain = endpoint_srv_domain(url);
        discover->domain = keep(domain, strlen(domain));
        return;
    }
    atomic_store_explicit(&discover->published, discover_list(&memory, like, 1), memory_order_relaxed);
    atomic_store_explicit(&discover->until_ms, UINT64_MAX, memory_order_relaxed);
}

static struct route *make(const struct rules_service *service, uint64_t digest)
{
    struct route *route = arena_take(&memory, sizeof *route);
    struct discover *urls = arena_take(&memory, service->url_count * sizeof *urls);

    if (!route || !urls)
        return NULL;
    route->digest = digest;
    route->name = keep(service->name, strlen(service->name));
    route->prefix = service->settings->prefix;
    route->credentials = service->settings->credentials;
    route->keeps_host = service->settings->host == SETTINGS_HOST_ASKED;
    route->url_count = service->url_count;
    route->urls = urls;
    for (uint32_t i = 0; i < service->url_count; i++)
        take_url(&urls[i], &service->urls[i]);
    return route;
}

static struct route *find(struct route *at, const struct rules_service *service, uint64_t digest)
{
    while (at && (at->digest != digest || strcmp(at->name, service->name) != 0))
        at = at->next;
    return at;
}

/* Two threads may make it at once: the second finds the first one's when it comes to publish. */
static struct route *know(const struct rules_service *service)
{
    uint64_t digest = digest_of(service);
    struct route *head = atomic_load_explicit(&first, memory_order_acquire),
                 *known = find(head, service, digest);

    if (known)
        return known;
    struct route *route = make(service, digest);
    if (!route)
        return NULL;
    do {
        known = find(head, service, digest);
        if (known)
            return known;
        route->next = head;
    } while (!atomic_compare_exchange_weak(&first, &head, route));
    return route;
}

static struct route *find_in(const struct ready *ready, const struct place *place)
{
    const struct rules_service *service =
        place->family == PLACE_NAME ? rules_service(ready->rules, place->name, place->name_length) : NULL;
    return service ? know(service) : NULL;
}

struct route *route_of(const struct gate_call *call, const struct place *place)
{
    return call->ready ? find_in(call->ready, place) : NULL;
}

struct route *route_look_up(const struct place *place)
{
    struct ready *ready = gate_ready(true);
    struct route *route = NULL;

    if (!ready)
        return NULL;
    refresh_look(ready, true);
    ready = ready_hold();
    if (!ready)
        return NULL;
    if (rules_service(ready->rules, place->name, place->name_length) && gate_enforces(ready, place))
        route = find_in(ready, place);
    ready_drop(ready);
    return route;
}

bool route_may_change(const struct route *route)
{
    return route->url_count > 1 || (route->url_count == 1 && route->urls[0].domain);
}

static void swap(struct route_address **a, struct route_address **b)
{
    struct route_address *kept = *a;
    *a = *b;
    *b = kept;
}

/* Those of one priority come in an order that the dice make by their weights (RFC 2782). */
static void shuffle(struct route_address **addresses, unsigned count)
{
    uint16_t weights[ROUTE_MOST];

    for (unsigned from = 0, end; from < count; from++) {
        for (end = from; end < count && addresses[end]->priority == addresses[from]->priority; end++)
            weights[end - from] = addresses[end]->weight;
        if (end - from > 1)
            swap(&addresses[from], &addresses[from + srv_pick(weights, end - from, random_32())]);
    }
}

unsigned route_addresses(struct route *route, bool may_ask, struct route_address *addresses[ROUTE_MOST])
{
    unsigned count = 0;

    for (uint32_t i = 0; i < route->url_count; i++) {
        struct discover *url = &route->urls[i];
        struct route_list *list = discover_addresses(url, &memory, may_ask && url->domain);
        unsigned before = count;
        for (uint32_t j = 0; list && j < list->count && count < ROUTE_MOST; j++)
            addresses[count++] = &list->items[j];
        if (url->domain)
            shuffle(addresses + before, count - before);
    }
    return count;
}

/* ---- what an address leads to ---- */

static uint64_t hash_of(const uint64_t halves[2], uint32_t family)
{
    uint64_t hash = (halves[0] ^ family) * UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 32 ^ halves[1]) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 29;
}

/* One thing that a look-up led to; false where there is none, or where it is being written. */
static bool read_lead(struct route_lead *lead, struct place *found)
{
    uint64_t halves[2] = {atomic_load(&lead->halves[0]), atomic_load(&lead->halves[1])};
    uint32_t family = atomic_load(&lead->family);

    if (!family || atomic_load(&lead->hash) != hash_of(halves, family))
        return false;
    place_from_address(found, (enum place_family)family, halves, 0);
    return true;
}

static bool is_same(const struct place *a, const struct place *b)
{
    return a->family == b->family && memcmp(a->address, b->address, sizeof a->address) == 0;
}

bool route_leads_to(struct route_address *address, const struct place *at)
{
    struct place lead;

    if (address->place.family != PLACE_NAME)
        return is_same(&address->place, at);
    for (int i = 0; i < ROUTE_LEADS; i++)
        if (read_lead(&address->leads[i], &lead) && is_same(&lead, at))
            return true;
    return false;
}

bool route_leads(struct route_address *address, enum place_family family, struct place *found)
{
    if (address->place.family != PLACE_NAME) {
        *found = address->place;
        return address->place.family == family;
    }
    for (int i = 0; i < ROUTE_LEADS; i++)
        if (read_lead(&address->leads[i], found) && found->family == family)
            return true;
    return false;
}

/* Two threads that write one lead leave a hash that does not fit, and so nothing. */
void route_learn(struct route_address *address, const struct place *found)
{
    uint64_t halves[2];

    if (route_leads_to(address, found))
        return;
    struct route_lead *lead = &address->leads[atomic_fetch_add(&address->learnt, 1) % ROUTE_LEADS];
    memcpy(halves, found->address, sizeof halves);
    atomic_store(&lead->hash, 0);
    atomic_store(&lead->family, found->family);
    atomic_store(&lead->halves[0], halves[0]);
    atomic_store(&lead->halves[1], halves[1]);
    atomic_store(&lead->hash, hash_of(halves, found->family));
}
