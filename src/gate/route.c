#include "gate/route.h"

#include <string.h>

#include "config/arena.h"
#include "core/srv.h"
#include "gate/discover.h"
#include "gate/inside.h"
#include "gate/refresh.h"
#include "state/slots.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { LEASE_MS = 30000 };

/* One failure is enough, because there are others; then a probe every few seconds. */
static const struct breaker_rule rule = {
    .consecutive = 1,
    .minimum = UINT32_MAX,
    .window_ms = 10000,
    .open_ms = 5000,
    .open_cap_ms = 60000,
    .probes = 1,
};

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

static bool leads_to(struct route_address *address, const struct place *at)
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

    if (leads_to(address, found))
        return;
    struct route_lead *lead = &address->leads[atomic_fetch_add(&address->learnt, 1) % ROUTE_LEADS];
    memcpy(halves, found->address, sizeof halves);
    atomic_store(&lead->hash, 0);
    atomic_store(&lead->family, found->family);
    atomic_store(&lead->halves[0], halves[0]);
    atomic_store(&lead->halves[1], halves[1]);
    atomic_store(&lead->hash, hash_of(halves, found->family));
}

/* ---- choosing ---- */

static bool fits(struct route_address *address, const struct route_wish *wish)
{
    struct place lead;

    if (wish->is_encrypted && address->scheme == ENDPOINT_HTTP)
        return false;
    if (wish->family && !route_leads(address, (enum place_family)wish->family, &lead))
        return false;
    return !wish->at || leads_to(address, wish->at);
}

/* The address's own memory is that of "10.0.0.5:8001" under "@user-service". */
struct memory_name {
    char host[PLACE_TEXT_MAX], policy[LAYOUT_POLICY_TEXT];
    size_t host_length, policy_length;
};

static struct memory_name name_memory(const struct route *route, const struct route_address *address,
                                      uint16_t port)
{
    struct place place = address->place;
    struct memory_name name = {.policy = "@"};
    size_t length = strnlen(route->name, sizeof name.policy - 1);

    memcpy(name.policy + 1, route->name, length);
    name.policy_length = length + 1;
    place.port = place.port ? place.port : port;
    name.host_length = place_print(&place, name.host);
    return name;
}

static bool find_memory(struct gate_call *call, const struct route *route,
                        const struct route_address *address, uint16_t port)
{
    struct memory_name name = name_memory(route, address, port);

    call->route.slot = slots_take(&call->ready->state, name.host, name.host_length, name.policy,
                                  name.policy_length, clock_now_us() / 1000);
    call->route.key = slots_key(name.host, name.host_length, name.policy, name.policy_length);
    call->route.round = 0;
    return call->route.slot != NULL;
}

bool route_is_well(const struct route *route, const struct route_address *address, uint16_t port)
{
    struct memory_name name = name_memory(route, address, port);
    struct ready *ready = gate_ready(false);
    struct layout_host *slot =
        ready ? slots_find(&ready->state, name.host, name.host_length, name.policy, name.policy_length)
              : NULL;
    return !slot || breaker_remaining_ms(atomic_load(&slot->circuit), clock_now_us() / 1000) == 0;
}

/* Whether the address in the call's hands is well, as far as anybody knows, or may be probed. */
static bool is_well(struct gate_call *call)
{
    struct breaker_admission admission;
    _Atomic uint64_t *circuit = &call->route.slot->circuit;
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;

    do {
        next = breaker_admit(old, &rule, clock_now_us() / 1000, LEASE_MS, &admission);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    if (admission.answer == BREAKER_PROBES)
        call->route.round = admission.round;
    return admission.answer != BREAKER_REFUSES;
}

static struct route_address *go(struct gate_call *call, struct route_address *address, unsigned index)
{
    call->route.last = (uint16_t)index;
    if (call->route.slot)
        atomic_fetch_add_explicit(&call->route.slot->counters[LAYOUT_COUNT_attempts], 1,
                                  memory_order_relaxed);
    return address;
}

/* Where all have failed, each attempt of a call goes to the one behind the last. */
static struct route_address *go_round(struct gate_call *call, const struct route *route,
                                      struct route_address *const *addresses, unsigned count, uint16_t port)
{
    unsigned index = call->attempt > 1 ? (call->route.last + 1u) % count : 0;

    find_memory(call, route, addresses[index], port);
    return go(call, addresses[index], index);
}

struct route_address *route_choose(struct gate_call *call, struct route *route, const struct route_wish *wish)
{
    struct route_address *addresses[ROUTE_MOST];
    unsigned all = route_addresses(route, wish->may_ask, addresses), count = 0;

    for (unsigned i = 0; i < all; i++)
        if (fits(addresses[i], wish))
            addresses[count++] = addresses[i];
    call->route.slot = NULL;
    call->route.left = count > call->attempt ? (uint16_t)(count - call->attempt) : 0;
    if (count == 0)
        return NULL;
    if (all == 1) /* nothing to choose, nothing to remember */
        return go(call, addresses[0], 0);
    for (unsigned i = 0; i < count; i++)
        if (find_memory(call, route, addresses[i], wish->port) && is_well(call))
            return go(call, addresses[i], i);
    return go_round(call, route, addresses, count, wish->port);
}

/* ---- how it ended ---- */

/* What says that another address might have done better. */
static bool speaks_against(const struct outcome *outcome)
{
    switch ((enum outcome_type)outcome->type) {
    case OUTCOME_DNS:
    case OUTCOME_CONNECT:
    case OUTCOME_TLS:
    case OUTCOME_TIMEOUT:
    case OUTCOME_RESET:
        return true;
    case OUTCOME_SERVER_ERROR:
        return outcome->status >= 502 && outcome->status <= 504;
    case OUTCOME_SUCCESS:
    case OUTCOME_RATE_LIMIT:
    case OUTCOME_AUTHENTICATION:
    case OUTCOME_PERMISSION_DENIED:
    case OUTCOME_NOT_FOUND:
    case OUTCOME_BAD_REQUEST:
    case OUTCOME_CIRCUIT_OPEN:
    case OUTCOME_LIMITED:
    case OUTCOME_ABORTED:
    case OUTCOME_LOCAL:
    case OUTCOME_UNKNOWN:
    case OUTCOME_TYPES:
        break;
    }
    return false;
}

static bool says_nothing(const struct outcome *outcome)
{
    return outcome->type == OUTCOME_ABORTED || outcome->type == OUTCOME_LOCAL;
}

void route_ended(struct gate_call *call, const struct outcome *outcome)
{
    struct layout_host *slot = call->route.slot;
    uint64_t old, next, now_ms = clock_now_us() / 1000;
    bool failed = speaks_against(outcome);

    call->route.slot = NULL;
    if (!slots_is_still(slot, call->route.key))
        return;
    if (failed)
        atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_failures], 1, memory_order_relaxed);
    old = atomic_load_explicit(&slot->circuit, memory_order_relaxed);
    do {
        next = says_nothing(outcome)
                   ? breaker_withdraw(old, call->route.round)
                   : breaker_ended(old, &rule, now_ms, call->route.round, failed, (struct window_sum){0, 0});
    } while (next != old && !atomic_compare_exchange_weak(&slot->circuit, &old, next));
}
