#include "tool/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/breaker.h"
#include "gate/bulkhead.h"
#include "report/histogram.h"
#include "state/places.h"
#include "state/slots.h"
#include "tool/output.h"

/* The gate marks the memory of shadow calls and of tenants in the policy's text. */
static void read_policy(struct snapshot *host)
{
    static const char shadow[] = "~shadow";
    char *slash = strchr(host->policy, '/');

    host->is_bucket = slash != NULL;
    if (slash) {
        snprintf(host->bucket, sizeof host->bucket, "%s", slash + 1);
        *slash = '\0';
    }
    size_t length = strlen(host->policy), own = sizeof shadow - 1;
    if (length >= own && strcmp(host->policy + length - own, shadow) == 0) {
        host->is_shadow = true;
        host->policy[length - own] = '\0';
    }
}

static void copy_halves(uint32_t *to, _Atomic uint32_t *from, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        to[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
}

static void copy_words(uint64_t *to, _Atomic uint64_t *from, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        to[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
}

static bool copy(struct snapshot *host, struct map *map, uint32_t index)
{
    struct layout_host *slot = slots_at(map, index);

    if (!slot)
        return false;
    *host = (struct snapshot){.slot = slot, .key = atomic_load(&slot->key)};
    memcpy(host->host, slot->host, sizeof host->host);
    memcpy(host->policy, slot->policy, sizeof host->policy);
    host->host[sizeof host->host - 1] = host->policy[sizeof host->policy - 1] = '\0';
    host->circuit = atomic_load(&slot->circuit);
    host->elsewhere = atomic_load(&slot->elsewhere);
    host->limit = atomic_load(&slot->limit);
    host->in_flight = places_held(map, host->key, bulkhead_owner_is_gone, map);
    copy_words(host->outcomes, slot->outcomes, WINDOW_SLOTS);
    copy_words(host->budget, slot->budget, WINDOW_SLOTS);
    copy_words(host->counters, slot->counters, LAYOUT_COUNTERS_ROOM);
    copy_halves(host->latency, slot->latency, LAYOUT_LATENCY_BUCKETS);
    copy_halves(host->errors, slot->errors, LAYOUT_ERRORS);
    read_policy(host);
    return slots_is_still(slot, host->key);
}

static int compare(const void *first, const void *second)
{
    const struct snapshot *a = first, *b = second;
    int order = strcmp(a->host, b->host);

    if (order == 0)
        order = strcmp(a->policy, b->policy);
    if (order == 0)
        order = a->is_shadow - b->is_shadow;
    return order ? order : strcmp(a->bucket, b->bucket);
}

static void keep(struct snapshot_list *list, const struct snapshot *host)
{
    if ((list->count & (list->count - 1)) == 0) { /* full at each power of two */
        struct snapshot *items = realloc(list->items, (list->count ? 2 * list->count : 1) * sizeof *items);
        if (!items)
            output_die("out of memory");
        list->items = items;
    }
    list->items[list->count++] = *host;
}

static void take(struct snapshot_list *list, struct map *map, const struct address *address,
                 const char *policy, bool buckets)
{
    struct snapshot host;

    *list = (struct snapshot_list){0};
    for (uint32_t i = 0; i < map->host_count; i++)
        if (copy(&host, map, i) && host.is_bucket == buckets &&
            (!address || address_matches(address, host.host)) &&
            (!policy || strcmp(policy, host.policy) == 0))
            keep(list, &host);
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
}

void snapshot_take(struct snapshot_list *list, struct map *map, const struct address *address,
                   const char *policy)
{
    take(list, map, address, policy, false);
}

void snapshot_take_buckets(struct snapshot_list *list, struct map *map, const struct address *address)
{
    take(list, map, address, NULL, true);
}

void snapshot_clear(struct snapshot_list *list)
{
    free(list->items);
    *list = (struct snapshot_list){0};
}

const char *snapshot_policy(const struct snapshot *host)
{
    return host->policy[0] ? host->policy : "(all)";
}

uint64_t snapshot_latency_us(const struct snapshot *host, double quantile)
{
    return histogram_quantile_us(host->latency, quantile);
}

struct window_sum snapshot_window(const uint64_t words[WINDOW_SLOTS], uint32_t window_ms, uint64_t now_ms)
{
    uint64_t slice = window_slice(now_ms, window_ms);
    struct window_sum sum = {0};

    for (int i = 0; i < WINDOW_SLOTS; i++) {
        struct window_sum slot = window_read(words[i], slice);
        sum.all += slot.all;
        sum.marked += slot.marked;
    }
    return sum;
}

bool snapshot_is_followed(const struct snapshot *host)
{
    return host->elsewhere && host->elsewhere == host->circuit;
}

const char *snapshot_circuit(const struct snapshot *host, uint64_t now_ms, char *text)
{
    enum breaker_state state = breaker_state(host->circuit);
    uint64_t remaining_ms = breaker_remaining_ms(host->circuit, now_ms);
    uint64_t held_ms;
    char duration[OUTPUT_NUMBER];

    if (breaker_is_held(host->circuit, now_ms, &held_ms) && held_ms == UINT64_MAX)
        snprintf(text, SNAPSHOT_CIRCUIT, "held closed");
    else if (breaker_is_held(host->circuit, now_ms, &held_ms))
        snprintf(text, SNAPSHOT_CIRCUIT, "held closed for %s", output_duration(held_ms * 1000, duration));
    else if (state != BREAKER_OPEN)
        snprintf(text, SNAPSHOT_CIRCUIT, "%s", breaker_state_name(state));
    else if (remaining_ms == UINT64_MAX)
        snprintf(text, SNAPSHOT_CIRCUIT, "open until reset");
    else if (remaining_ms == 0)
        snprintf(text, SNAPSHOT_CIRCUIT, "open, next call probes");
    else
        snprintf(text, SNAPSHOT_CIRCUIT, "open%s, probe in %s",
                 snapshot_is_followed(host) ? " as elsewhere" : "",
                 output_duration(remaining_ms * 1000, duration));
    return text;
}
