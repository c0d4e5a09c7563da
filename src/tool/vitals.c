#include "tool/vitals.h"

#include <stdio.h>
#include <string.h>

#include "core/breaker.h"
#include "state/slots.h"
#include "sys/clock.h"
#include "tool/circuit.h"

/* The words of such a slot: circuit counts failures in a row; limit holds, from its top, since (44 bits), the
 * state (4), the last error's type (6) and status (10). */
enum { STATUS_BITS = 10, TYPE_BITS = 6, STATE_BITS = 4 };

const char *vitals_state_name(enum vitals_state state)
{
    static const char *const names[] = {
        [VITALS_UNKNOWN] = "UNKNOWN",
        [VITALS_HEALTHY] = "HEALTHY",
        [VITALS_DEGRADED] = "DEGRADED",
        [VITALS_UNHEALTHY] = "UNHEALTHY",
    };
    return names[state];
}

/* What `status` shows leaves policies with a slash out. */
static size_t name_memory(char policy[LAYOUT_POLICY_TEXT], const char *service)
{
    return (size_t)snprintf(policy, LAYOUT_POLICY_TEXT, "@%.40s/health", service);
}

static uint64_t pack(const struct vitals *vitals)
{
    uint64_t word = vitals->since_unix_ms;

    word = word << STATE_BITS | vitals->state;
    word = word << TYPE_BITS | vitals->last.type;
    return word << STATUS_BITS | vitals->last.status;
}

static struct vitals unpack(uint64_t word, uint64_t failures)
{
    struct vitals vitals = {.failures = (uint32_t)failures};

    vitals.last.status = word & ((1 << STATUS_BITS) - 1);
    word >>= STATUS_BITS;
    vitals.last.type = word & ((1 << TYPE_BITS) - 1);
    word >>= TYPE_BITS;
    vitals.state = word & ((1 << STATE_BITS) - 1);
    vitals.since_unix_ms = word >> STATE_BITS;
    if (vitals.state > VITALS_UNHEALTHY || vitals.last.type >= OUTCOME_TYPES)
        vitals = (struct vitals){.state = VITALS_UNKNOWN}; /* damage */
    return vitals;
}

bool vitals_of(const struct snapshot *bucket, struct vitals *vitals)
{
    if (bucket->policy[0] != '@' || strcmp(bucket->bucket, "health") != 0)
        return false;
    *vitals = unpack(bucket->limit, bucket->circuit);
    return true;
}

struct vitals vitals_read(struct map *map, const char *service, const char *address)
{
    char policy[LAYOUT_POLICY_TEXT];
    size_t length = name_memory(policy, service);
    struct layout_host *slot = map->header ? slots_find(map, address, strlen(address), policy, length) : NULL;

    return slot ? unpack(atomic_load(&slot->limit), atomic_load(&slot->circuit)) : (struct vitals){0};
}

static enum vitals_state state_after(const struct vitals *vitals, uint32_t threshold)
{
    if (vitals->failures == 0)
        return VITALS_HEALTHY;
    return vitals->failures >= threshold ? VITALS_UNHEALTHY : VITALS_DEGRADED;
}

struct vitals vitals_add(struct map *map, const char *service, const char *address, struct outcome outcome,
                         uint32_t threshold)
{
    char policy[LAYOUT_POLICY_TEXT];
    size_t length = name_memory(policy, service);
    struct vitals vitals = vitals_read(map, service, address);
    enum vitals_state before = vitals.state;

    if (outcome.type == OUTCOME_LOCAL)
        return vitals;
    if (outcome.type == OUTCOME_SUCCESS) {
        vitals.failures = 0;
    } else {
        vitals.failures++;
        vitals.last = (struct outcome){.type = outcome.type, .status = outcome.status};
    }
    vitals.state = state_after(&vitals, threshold);
    if (vitals.state != before)
        vitals.since_unix_ms = clock_unix_ms();
    struct layout_host *slot =
        slots_take(map, address, strlen(address), policy, length, clock_now_us() / 1000);
    if (slot) {
        atomic_store(&slot->circuit, vitals.failures);
        atomic_store(&slot->limit, pack(&vitals));
    }
    return vitals;
}

/* ---- the circuits ---- */

/* Those of the address under the service's own name, which choose among its addresses; they may not be there
 * yet. */
static void take_address(struct snapshot_list *list, struct map *map, const char *service,
                         const char *address)
{
    char policy[LAYOUT_POLICY_TEXT];
    int length = snprintf(policy, sizeof policy, "@%.62s", service);
    struct address named;

    slots_take(map, address, strlen(address), policy, (size_t)length, clock_now_us() / 1000);
    *list = (struct snapshot_list){0};
    if (!address_parse(&named, address))
        snapshot_take(list, map, &named, policy);
}

static void take_service(struct snapshot_list *list, struct map *map, const char *service)
{
    struct address named;

    *list = (struct snapshot_list){0};
    if (!address_parse(&named, service))
        snapshot_take(list, map, &named, NULL);
}

/* Open until it is reset, or held closed: somebody has decided. */
static bool is_decided_by_hand(const struct snapshot *host, uint64_t now_ms)
{
    uint64_t left_ms;

    return breaker_is_held(host->circuit, now_ms, &left_ms) ||
           (breaker_state(host->circuit) == BREAKER_OPEN &&
            breaker_remaining_ms(host->circuit, now_ms) == UINT64_MAX);
}

/* That it stays open is told once, not at each check: the ring holds what else was decided, too. */
static void feed(struct map *map, const struct snapshot *host, enum vitals_state before, bool is_unhealthy,
                 uint32_t open_ms)
{
    uint64_t now_ms = clock_now_us() / 1000;
    bool goes_on = before == VITALS_UNHEALTHY && breaker_state(host->circuit) == BREAKER_OPEN;

    if (host->is_shadow || is_decided_by_hand(host, now_ms))
        return; /* shadow refuses nobody */
    if (is_unhealthy)
        circuit_set(map, host, breaker_forced_open(now_ms, open_ms), goes_on ? EVENTS_NONE : EVENTS_UNHEALTHY,
                    open_ms);
    else if (host->circuit != breaker_closed())
        circuit_set(map, host, breaker_closed(), EVENTS_HEALTHY, 0);
}

void vitals_feed(struct map *map, const char *service, const char *address, enum vitals_state before,
                 enum vitals_state now, uint32_t open_ms)
{
    struct snapshot_list list;
    bool is_unhealthy = now == VITALS_UNHEALTHY;

    if (!is_unhealthy && before != VITALS_UNHEALTHY)
        return;
    if (!is_unhealthy && now != VITALS_HEALTHY)
        return;
    if (address)
        take_address(&list, map, service, address);
    else
        take_service(&list, map, service);
    for (unsigned i = 0; i < list.count; i++)
        feed(map, &list.items[i], before, is_unhealthy, open_ms);
    snapshot_clear(&list);
}
