/* What the gate writes down: counters (of the host, and of the run that asked for a report), events, log
 * lines. */
#ifndef GUSSET_GATE_NOTE_H
#define GUSSET_GATE_NOTE_H

#include "gate/gate.h"
#include "report/events.h"

void note_count(struct gate_call *call, enum layout_counter counter);

/* How the attempt ended, or why the call was refused; nothing for a success. */
void note_error(struct gate_call *call);

/* How long the whole call took. */
void note_latency(struct gate_call *call, uint64_t us);

/* An event in the ring and, at its level, a line in the log; detail by kind (report/events.h). */
void note_event(struct gate_call *call, enum events_kind kind, uint32_t detail);

/* Log lines that are no events: the call begins, an attempt ended. */
void note_request(struct gate_call *call);
void note_response(struct gate_call *call);

/* The record of `run --record`: how the attempt ended (attempt NULL: well), or that it was refused. */
void note_attempt(struct gate_call *call, const struct gate_attempt *attempt);

#endif
