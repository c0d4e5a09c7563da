/* What the shared state knows of each host, as one JSON object: conf/schema/status.json. */
#ifndef GUSSET_TOOL_HOSTS_H
#define GUSSET_TOOL_HOSTS_H

#include "tool/reading.h"

/* Writes a look at the state, and a newline. */
void hosts_write(FILE *to, struct reading *reading);

#endif
