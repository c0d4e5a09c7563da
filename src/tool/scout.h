/*
 * Where the services of an SRV name run, for who watches them: the DNS is asked again when what it said is
 * over, as programs ask it. Who may not wait has it asked by a thread, and sees what comes of it later.
 */
#ifndef GUSSET_TOOL_SCOUT_H
#define GUSSET_TOOL_SCOUT_H

#include <stdbool.h>

#include "core/endpoint.h"
#include "gate/discover.h"

struct scout;

/* url need not stay. NULL where memory fails. */
struct scout *scout_new(const struct endpoint *url);

/* A thread that still asks goes on for as long as it takes. */
void scout_free(struct scout *scout);

/*
 * The addresses, which stay until scout_free; the same list as long as they are the same. may_wait: for the
 * DNS, a few seconds. NULL: nothing is known (yet).
 */
const struct route_list *scout_addresses(struct scout *scout, bool may_wait);

#endif
