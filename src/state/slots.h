/*
 * Slots of hosts, found by hash: a bucket of neighbouring slots is searched; where the host is not
 * there, a free slot of the bucket is taken, or that of the host that nobody has used for longest. No
 * lock: a slot is claimed by compare-and-swap of its key, and a claim whose owner died is taken over.
 */
#ifndef GUSSET_STATE_SLOTS_H
#define GUSSET_STATE_SLOTS_H

#include "state/map.h"

/* The key of a host ("name:port") and policy; never 0 and always even. */
uint64_t slots_key(const char *host, size_t host_length, const char *policy, size_t policy_length);

/*
 * Finds the slot or makes one. Never NULL while the map is open, unless every slot of the bucket is
 * being filled this moment. The pointer is borrowed from the map; another process may evict the slot at any
 * time: check slots_is_still before words are changed long after.
 */
struct layout_host *slots_take(struct map *map, const char *host, size_t host_length, const char *policy,
                               size_t policy_length, uint64_t now_ms);

/* Finds the slot; NULL when there is none. */
struct layout_host *slots_find(struct map *map, const char *host, size_t host_length, const char *policy,
                               size_t policy_length);

/*
 * For a slot found earlier: whether the host still lives there; if so it counts as used now.
 */
bool slots_touch(struct layout_host *slot, uint64_t key, uint64_t now_ms);

static inline bool slots_is_still(const struct layout_host *slot, uint64_t key)
{
    return atomic_load_explicit(&slot->key, memory_order_acquire) == key;
}

/* The index-th slot (0..host_count-1) when a host lives there and its text is whole, else NULL. For listings.
 */
struct layout_host *slots_at(struct map *map, uint32_t index);

#endif
