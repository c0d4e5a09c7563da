/* A growing array in heap memory, for whoever compiles. A failed allocation is remembered, and asked for once
 * at the end. */
#ifndef GUSSET_CONFIG_TABLE_H
#define GUSSET_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table { /* zero is an empty table */
    void *items;
    uint32_t count;
    uint32_t room;
    bool failed;
};

/* Room for count more items of size bytes, zeroed, counted at once. NULL when memory fails, or count is 0.
 * Moves the items. */
void *table_add(struct table *table, size_t size, uint32_t count);

void table_clear(struct table *table);

#endif
