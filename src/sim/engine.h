/* The library's engine over rules and a state of its own in memory, on the clock and dice of sim/virtual. */
#ifndef GUSSET_SIM_ENGINE_H
#define GUSSET_SIM_ENGINE_H

#include <stdint.h>

#include "config/rules.h"
#include "gate/ready.h"

struct engine {
    struct ready ready;
};

/*
 * From here until engine_close the gate decides by these rules, and every rule is enforced, whatever its
 * mode. hosts as for map_open. One at a time. Returns 0 or -errno.
 */
int engine_open(struct engine *engine, const struct rules *rules, uint32_t hosts, uint64_t seed);

/* Which rule holds for calls under an engine of this seed; false: none does. While none is open. */
bool engine_finds(const struct rules *rules, const struct rules_query *query, uint64_t seed,
                  struct rules_match *match);

void engine_close(struct engine *engine);

#endif
