/*
 * Ids that travel with a request: a request id (UUID version 4 in form, RFC 9562) and a traceparent
 * (W3C Trace Context, version 00), which continues $TRACEPARENT with a new span for each attempt.
 */
#ifndef GUSSET_CURL_TRACE_H
#define GUSSET_CURL_TRACE_H

enum { TRACE_ID_ROOM = 37, TRACE_PARENT_ROOM = 80 };

/* A new request id and its NUL. */
void trace_new_id(char id[TRACE_ID_ROOM]);

/* The line "traceparent: 00-…": the trace of $TRACEPARENT where that is valid, else a new one. */
void trace_begin(char line[TRACE_PARENT_ROOM]);

/* Gives the line a new span id. */
void trace_next_span(char line[TRACE_PARENT_ROOM]);

#endif
