/* Circuits moved by hand: what trip and reset share. */
#ifndef GUSSET_TOOL_CIRCUIT_H
#define GUSSET_TOOL_CIRCUIT_H

#include "report/events.h"
#include "tool/snapshot.h"

/* Puts word into the circuit of the host, and says so in the ring: EVENTS_TRIPPED or EVENTS_RESET. */
void circuit_set(struct map *map, const struct snapshot *host, uint64_t word, enum events_kind kind,
                 uint32_t open_ms);

#endif
