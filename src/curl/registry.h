/*
 * A table from the address of something of libcurl's to what gusset remembers of it. Open addressing
 * without a lock, so that a fork in the midst of a call leaves a child that works. One address is used
 * by one thread at a time, so only different ones meet here. When a neighbourhood is full, a table of
 * twice the size follows; tables are never freed: they are small, and addresses are born again.
 */
#ifndef GUSSET_CURL_REGISTRY_H
#define GUSSET_CURL_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGISTRY_FIRST = 256, REGISTRY_NEIGHBOURHOOD = 16 };

struct registry_entry {
    _Atomic uintptr_t address; /* 0: never used, 1: given back */
    void *_Atomic record;
};

struct registry_table {
    size_t size; /* a power of two */
    struct registry_table *_Atomic next;
    struct registry_entry *entries;
};

struct registry {
    struct registry_table table;
    struct registry_entry first[REGISTRY_FIRST];
};

/* A static registry begins as this. */
#define REGISTRY_INIT(name)                                                                                  \
    {                                                                                                        \
        .table = {.size = REGISTRY_FIRST, .entries = (name).first }                                          \
    }

static inline uint64_t registry_hash(uintptr_t address)
{
    return ((uint64_t)(address >> 4) * 0x9E3779B97F4A7C15u) >> 40; /* Fibonacci hashing, Knuth 6.4 */
}

void *registry_search(struct registry *registry, const void *address);

/* What is remembered of an address where that is at its home, as nearly every one is; NULL otherwise. */
static inline void *registry_find_home(struct registry *registry, const void *address)
{
    struct registry_entry *home = &registry->first[registry_hash((uintptr_t)address) & (REGISTRY_FIRST - 1)];

    if (atomic_load_explicit(&home->address, memory_order_acquire) != (uintptr_t)address)
        return NULL;
    return atomic_load_explicit(&home->record, memory_order_acquire);
}

/* What is remembered of an address; NULL: nothing. Lock-free. */
static inline void *registry_find(struct registry *registry, const void *address)
{
    void *record = registry_find_home(registry, address);
    return record ? record : registry_search(registry, address);
}

/* Remembers a record. Returns false when there is no memory for it. */
bool registry_put(struct registry *registry, const void *address, void *record);

/* Forgets an address; unknown ones are fine. */
void registry_remove(struct registry *registry, const void *address);

#endif
