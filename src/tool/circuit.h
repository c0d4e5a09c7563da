/* Circuits moved from outside of the calls: what trip, reset and health share. */
#ifndef GUSSET_TOOL_CIRCUIT_H
#define GUSSET_TOOL_CIRCUIT_H

#include <stdbool.h>

#include "report/events.h"
#include "tool/snapshot.h"

/*
 * Puts word into the circuit of the host, and says so in the ring by that event, and for how long.
 * EVENTS_NONE: what was said of it goes on.
 */
void circuit_set(struct map *map, const struct snapshot *host, uint64_t word, enum events_kind kind,
                 uint32_t duration_ms);

/*
 * The same for who follows another machine: only where the circuit is still as it was copied, and an open one
 * is marked as such. EVENTS_NONE says nothing: it goes on as it was. Returns whether it was still so.
 */
bool circuit_follow(struct map *map, const struct snapshot *host, uint64_t word, enum events_kind kind,
                    uint32_t duration_ms);

/* Reads what --for says; false when it is no duration of a circuit: then CIRCUIT_DURATION says what is. */
#define CIRCUIT_DURATION "--for takes a duration such as 90s or 1h, up to 1193h"
bool circuit_read_duration(const char *text, uint32_t *duration_ms);

/* Whether one circuit is meant; without a port it is those that are known. */
bool circuit_has_port(const struct address *address);

/*
 * Makes the memory of a host that is not known yet, of the policy, or (NULL) as the rules that hold give it:
 * as a GET, and as a bare connect. Returns 0, or -1 after a complaint in the name of the verb.
 */
int circuit_make(struct map *map, const struct address *address, const char *policy, const char *verb);

#endif
