/*
 * Which name did the program look up to get this address? Rules are written for names, connect(2) knows
 * addresses. Resolutions are remembered as they pass, in a fixed lock-free table, newest over oldest.
 */
#ifndef GUSSET_CONNECT_NAMES_H
#define GUSSET_CONNECT_NAMES_H

#include <netdb.h>
#include <stdbool.h>

#include "core/place.h"

/* Remembers that name led to the addresses. Names longer than the table's room are not remembered. */
void names_remember(const char *name, const struct addrinfo *addresses);

/* Finds the name of an address; *named gets that name and the address's port. Returns false when it is
 * unknown. */
bool names_find(const struct place *address, struct place *named);

#endif
