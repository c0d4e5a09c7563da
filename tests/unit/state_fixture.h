/* A state file of the program's own, mapped for each test. */
#ifndef GUSSET_TESTS_STATE_FIXTURE_H
#define GUSSET_TESTS_STATE_FIXTURE_H

#include <stdio.h>
#include <unistd.h>

#include "state/map.h"

static char path[64];

static inline int map_make(void **state)
{
    static struct map map;
    snprintf(path, sizeof path, "/tmp/gusset-state-%d", getpid());
    unlink(path);
    *state = &map;
    return map_open(&map, path, LAYOUT_HOSTS_MIN, false, MAP_SHARE) == 0 && !map.is_private ? 0 : -1;
}

static inline int map_remove(void **state)
{
    map_close(*state);
    return unlink(path);
}

#endif
