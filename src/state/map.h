/*
 * The shared file, opened and mapped. Whatever is wrong with it (missing place, foreign owner, other
 * layout, damage, full disk), the caller gets a private mapping instead and is told why: gusset then
 * works for one process alone, and the program runs on.
 */
#ifndef GUSSET_STATE_MAP_H
#define GUSSET_STATE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/layout.h"

enum map_access {
    MAP_SHARE,    /* open, or create where there is none; private when that fails */
    MAP_EXISTING, /* open what is there for reading and writing, create nothing, no private stand-in */
    MAP_ALONE     /* memory of this process alone from the start; path does not count */
};

struct map {
    struct layout_header *header; /* NULL: not open */
    struct layout_host *hosts;
    struct layout_event *events;
    struct layout_places *places;
    uint32_t host_count; /* a power of two, from the file's size */
    size_t size;
    bool is_private;
    int error; /* why it is private: 0 or -errno; -EBADMSG damaged or another layout, -EPERM owner or mode */
};

/*
 * Opens path (absolute), or the default place (layout.h's version in its name) when path is NULL or
 * empty. hosts is the number of slots of a new file, rounded up to a power of two and clamped to
 * LAYOUT_HOSTS_MIN..MAX; an existing file keeps its own. group_shared: the file may be group-writable
 * and owned by another user (an administrator made it); otherwise it must be 0600 and the caller's.
 * No descriptor stays open; errno is kept. Uses no malloc and no stdio.
 * Returns 0 when *map is usable (map->is_private tells how), -errno when it is not.
 */
int map_open(struct map *map, const char *path, uint32_t hosts, bool group_shared, enum map_access access);

void map_close(struct map *map);

/* Writes the default path, with the caller's effective uid, to text. Returns its length, or 0 when size is
 * short. */
size_t map_default_path(char *text, size_t size);

#endif
