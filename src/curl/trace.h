/*
 * Ids that travel with a request: a request id (UUID version 4 in form, RFC 9562) and a traceparent
 * (W3C Trace Context, version 00), which continues $TRACEPARENT with a new span for each attempt, and the
 * tracestate that belongs to it, $TRACESTATE.
 */
#ifndef GUSSET_CURL_TRACE_H
#define GUSSET_CURL_TRACE_H

#include <stdbool.h>

enum {
    TRACE_ID_ROOM = 37,
    TRACE_PARENT_ROOM = 80,
    TRACE_STATE_MAX = 512, /* of the value: what every party is asked to pass on */
    TRACE_STATE_ROOM = TRACE_STATE_MAX + 16
};

/* A new request id and its NUL. Those of a thread share their first half, and differ in the other. */
void trace_new_id(char id[TRACE_ID_ROOM]);

/* The line "traceparent: 00-…": the trace of $TRACEPARENT where that is valid, else a new one. Returns
 * whether it is that of $TRACEPARENT. */
bool trace_begin(char line[TRACE_PARENT_ROOM]);

/* Gives the line a new span id. */
void trace_next_span(char line[TRACE_PARENT_ROOM]);

/*
 * The line "tracestate: …" of $TRACESTATE; of one that is too long only its first members. Empty where there
 * is none or it is unfit for a header. A trace that begins here has none.
 */
void trace_state(char line[TRACE_STATE_ROOM]);

#endif
