/* Hosts of a state file, copied, so that they can be sorted and printed while processes go on writing. */
#ifndef GUSSET_TOOL_SNAPSHOT_H
#define GUSSET_TOOL_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "state/map.h"
#include "tool/address.h"

enum { SNAPSHOT_BUCKET = 9 };

struct snapshot {
    struct layout_host *slot; /* where it was copied from; borrowed */
    uint64_t key;
    char host[LAYOUT_HOST_TEXT];
    char policy[LAYOUT_POLICY_TEXT]; /* without marks; "" where the circuit belongs to all policies of the
                                        host */
    bool is_shadow;                  /* counts what would have been done */
    bool is_bucket;                  /* only a tenant's rate limit */
    char bucket[SNAPSHOT_BUCKET];    /* of a bucket: the beginning of its key's hash; else "" */
    uint64_t circuit;
    uint64_t elsewhere; /* circuit, where that is so because another machine's is open; or an old one; or 0 */
    uint64_t limit;
    unsigned in_flight; /* calls that hold a place of the bulkhead */
    uint64_t outcomes[WINDOW_SLOTS];
    uint64_t budget[WINDOW_SLOTS];
    uint64_t counters[LAYOUT_COUNTERS_ROOM];
    uint32_t latency[LAYOUT_LATENCY_BUCKETS];
    uint32_t errors[LAYOUT_ERRORS];
};

struct snapshot_list {
    struct snapshot *items;
    unsigned count;
};

/*
 * Copies the hosts that the address (NULL: all) and the policy (NULL: all) name, sorted by host and policy.
 * Buckets are left out. Heap; snapshot_clear ends it.
 */
void snapshot_take(struct snapshot_list *list, struct map *map, const struct address *address,
                   const char *policy);

/* The same of the buckets alone: the rate limits of tenants, a bucket a host, policy and key. */
void snapshot_take_buckets(struct snapshot_list *list, struct map *map, const struct address *address);

void snapshot_clear(struct snapshot_list *list);

/* What stands for the policy in a table: its name, or "(all)". */
const char *snapshot_policy(const struct snapshot *host);

/* Latency at the quantile, in microseconds; 0 when there is none. */
uint64_t snapshot_latency_us(const struct snapshot *host, double quantile);

/* The window's sum: words are outcomes or budget. */
struct window_sum snapshot_window(const uint64_t words[WINDOW_SLOTS], uint32_t window_ms, uint64_t now_ms);

/* Whether the circuit is open because another machine's is. */
bool snapshot_is_followed(const struct snapshot *host);

/* "closed", "open, probe in 3.2 s", … Writes to text of SNAPSHOT_CIRCUIT bytes; returns it. */
enum { SNAPSHOT_CIRCUIT = 64 };
const char *snapshot_circuit(const struct snapshot *host, uint64_t now_ms, char *text);

#endif
