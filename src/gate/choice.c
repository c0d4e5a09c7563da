#include "gate/choice.h"

#include <string.h>

#include "gate/inside.h"
#include "state/slots.h"
#include "sys/clock.h"

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

static bool fits(struct route_address *address, const struct choice_wish *wish)
{
    struct place lead;

    if (wish->is_encrypted && address->scheme == ENDPOINT_HTTP)
        return false;
    if (wish->family && !route_leads(address, (enum place_family)wish->family, &lead))
        return false;
    return !wish->at || route_leads_to(address, wish->at);
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

bool choice_is_well(const struct route *route, const struct route_address *address, uint16_t port)
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

struct route_address *choice_make(struct gate_call *call, struct route *route, const struct choice_wish *wish)
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

void choice_ended(struct gate_call *call, const struct outcome *outcome)
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
