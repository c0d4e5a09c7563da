/* A record of calls, read from the file that `gusset run --record` wrote. */
#ifndef GUSSET_TOOL_TRACE_H
#define GUSSET_TOOL_TRACE_H

#include "sim/replay.h"

/* Returns 0, or -1 after a complaint. trace_clear ends it in either case. */
int trace_read(struct replay_trace *trace, const char *path);
void trace_clear(struct replay_trace *trace);

/* A line of the record into *line, and its host's text into host. Returns false when it is none. */
bool trace_parse(const char *text, struct replay_line *line, char host[PLACE_TEXT_MAX]);

#endif
