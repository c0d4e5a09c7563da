#include "config/table.h"

#include <stdlib.h>
#include <string.h>

void *table_add(struct table *table, size_t size, uint32_t count)
{
    if (count == 0)
        return NULL;
    if (count > UINT32_MAX / 4 - table->count) {
        table->failed = true;
        return NULL;
    }
    if (table->count + count > table->room) {
        uint32_t room = table->room ? table->room : 16;
        while (room < table->count + count)
            room *= 2;
        void *items = realloc(table->items, room * size);
        if (!items) {
            table->failed = true;
            return NULL;
        }
        table->items = items;
        table->room = room;
    }
    void *first = (char *)table->items + table->count * size;
    memset(first, 0, count * size);
    table->count += count;
    return first;
}

void table_clear(struct table *table)
{
    free(table->items);
    *table = (struct table){0};
}
