/*
 * Which headers belong to how a message is carried: its framing (RFC 9112, 6) and what is said on one
 * connection only (RFC 9110, 7.6.1). libcurl writes them as it sends; one more from a rule and the server
 * waits for a body that never comes, or reads a request where there is none.
 */
#ifndef GUSSET_CONFIG_FRAMING_H
#define GUSSET_CONFIG_FRAMING_H

#include <stdbool.h>

/* Whether the header of that name, in letters of either size, is such a one. Host is none: it says which of
 * an address's sites is meant, and a rule for an address may say so. */
bool framing_needs(const char *name);

#endif
