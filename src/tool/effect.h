/* What a verb did to circuits, told: a line each for people, or one JSON object with all of them. */
#ifndef GUSSET_TOOL_EFFECT_H
#define GUSSET_TOOL_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/events.h"
#include "tool/json.h"
#include "tool/snapshot.h"

struct effect { /* zero, but for the first two */
    bool is_json;
    const char *state; /* the path of the state that they are in */
    bool has_begun;
    struct json json;
};

/*
 * A circuit that was moved by that event (EVENTS_TRIPPED, _HELD or _RESET), for that long; 0: until somebody
 * resets it. What was merely closed is told to people by its number, which is the verb's to say.
 */
void effect_circuit(struct effect *effect, const struct snapshot *before, enum events_kind kind,
                    uint32_t duration_ms);

/* Ends the object; an effect on nothing is one, too. */
void effect_end(struct effect *effect);

#endif
