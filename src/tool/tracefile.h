/* A record of calls, read from the file that `gusset run --record` wrote. */
#ifndef GUSSET_TOOL_TRACEFILE_H
#define GUSSET_TOOL_TRACEFILE_H

#include "sim/replay.h"

/* Returns 0, or -1 after a complaint. tracefile_clear ends it in either case. */
int tracefile_read(struct trace *trace, const char *path);
void tracefile_clear(struct trace *trace);

/* A line of the record into *line, and its host's text into host. Returns false when it is none. */
bool tracefile_parse(const char *text, struct trace_line *line, char host[PLACE_TEXT_MAX]);

#endif
