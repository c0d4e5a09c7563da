/* What an event says to people. */
#ifndef GUSSET_TOOL_SENTENCE_H
#define GUSSET_TOOL_SENTENCE_H

#include <stdio.h>

#include "report/events.h"

/* Writes what happened, without time and host: "server_error 503, attempt 1; again in 120 ms". */
void sentence_print(FILE *to, const struct events_entry *event);

#endif
