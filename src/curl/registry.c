#include "curl/registry.h"

#include <stdlib.h>

static struct registry_entry *home_of(struct registry_table *table, uintptr_t address, unsigned step)
{
    return &table->entries[(registry_hash(address) + step) & (table->size - 1)];
}

static struct registry_entry *find_entry(struct registry *registry, uintptr_t address)
{
    for (struct registry_table *table = &registry->table; table; table = atomic_load(&table->next)) {
        for (unsigned i = 0; i < REGISTRY_NEIGHBOURHOOD; i++) {
            struct registry_entry *entry = home_of(table, address, i);
            uintptr_t there = atomic_load_explicit(&entry->address, memory_order_acquire);
            if (there == address)
                return entry;
            if (there == 0)
                break;
        }
    }
    return NULL;
}

static struct registry_table *next_table(struct registry_table *table)
{
    struct registry_table *next = atomic_load(&table->next);

    if (next)
        return next;
    struct registry_table *made = calloc(1, sizeof *made + 2 * table->size * sizeof(struct registry_entry));
    if (!made)
        return NULL;
    made->size = 2 * table->size;
    made->entries = (struct registry_entry *)(made + 1);
    if (atomic_compare_exchange_strong(&table->next, &next, made))
        return made;
    free(made);
    return next;
}

void *registry_search(struct registry *registry, const void *address)
{
    struct registry_entry *entry = find_entry(registry, (uintptr_t)address);
    return entry ? atomic_load_explicit(&entry->record, memory_order_acquire) : NULL;
}

bool registry_put(struct registry *registry, const void *address, void *record)
{
    for (struct registry_table *table = &registry->table; table; table = next_table(table)) {
        for (unsigned i = 0; i < REGISTRY_NEIGHBOURHOOD; i++) {
            struct registry_entry *entry = home_of(table, (uintptr_t)address, i);
            uintptr_t there = atomic_load(&entry->address);
            if (there > 1 || !atomic_compare_exchange_strong(&entry->address, &there, (uintptr_t)address))
                continue;
            atomic_store_explicit(&entry->record, record, memory_order_release);
            return true;
        }
    }
    return false;
}

void registry_remove(struct registry *registry, const void *address)
{
    struct registry_entry *entry = find_entry(registry, (uintptr_t)address);

    if (!entry)
        return;
    atomic_store(&entry->record, NULL);
    atomic_store_explicit(&entry->address, 1, memory_order_release);
}
