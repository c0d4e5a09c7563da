/* The status page: services, hosts and what was decided last, as one HTML page that needs nothing else. */
#ifndef GUSSET_AGENT_PAGE_H
#define GUSSET_AGENT_PAGE_H

#include "tool/reading.h"

#define PAGE_TYPE "text/html; charset=utf-8"

/* Writes a look at the state. note: a sentence about the agent itself. Whatever names hold, they stay text.
 */
void page_write(FILE *to, struct reading *reading, const char *note);

#endif
