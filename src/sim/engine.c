#include "sim/engine.h"

#include "sim/virtual.h"

int engine_open(struct engine *engine, const struct rules *rules, uint32_t hosts, uint64_t seed)
{
    *engine = (struct engine){
        .ready = {.number = 1,
                  .rules = rules,
                  .globals = rules_globals(rules),
                  .environment_mode = POLICY_ENFORCE}
    };
    int result = map_open(&engine->ready.state, NULL, hosts, false, MAP_ALONE);
    if (result < 0)
        return result;
    virtual_begin(seed);
    ready_use(&engine->ready);
    return 0;
}

bool engine_finds(const struct rules *rules, const struct rules_query *query, uint64_t seed,
                  struct rules_match *match)
{
    virtual_begin(seed);
    bool found = rules_find(rules, query, match);
    virtual_end();
    return found;
}

void engine_close(struct engine *engine)
{
    ready_use(NULL);
    virtual_end();
    map_close(&engine->ready.state);
}
