#include "tool/compiled.h"

#include <errno.h>
#include <stdlib.h>

#include "state/control.h"
#include "state/map.h"

/* The state that programs under these rules share; without one there is nobody to tell. */
static void tell(const struct rules *rules)
{
    const char *wished = getenv("GUSSET_STATE"), *own = rules_globals(rules)->state_path;
    bool is_wished = wished && *wished;
    struct map map;

    if (map_open(&map, is_wished ? wished : own, 0, !is_wished && *own, MAP_EXISTING) < 0)
        return;
    control_change(map.header);
    map_close(&map);
}

int compiled_rules(const struct rules **rules, const struct source_request *request, char *text, size_t size)
{
    int error = rules_open_for(rules, request, NULL, false, text, size);

    if (error != -ESTALE)
        return error;
    error = rules_open_for(rules, request, NULL, true, text, size);
    if (error == 0 && *rules)
        tell(*rules);
    return error;
}
