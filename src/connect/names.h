/*
 * Which name did the program look up to get this address? Rules are written for names, connect(2) knows
 * addresses. Look-ups are remembered as they pass, for an hour, in a fixed lock-free table, newest over
 * oldest.
 *
 * Where several names lead to one address, a look-up is a credit for one connect: the oldest of the calling
 * thread is used first, then the oldest of the process, then the name that was looked up last.
 */
#ifndef GUSSET_CONNECT_NAMES_H
#define GUSSET_CONNECT_NAMES_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/place.h"

/* Remembers that name led to the addresses. Names longer than the table's room are not remembered. */
void names_remember(const char *name, const struct addrinfo *addresses);
void names_remember_entry(const char *name, const struct hostent *entry);

/*
 * Finds the name of an address and uses up its credit; *named gets the name and the address's port. Returns
 * false when it is unknown. *is_certain: no other name was looked up for the address, or this thread has just
 * looked up this one.
 */
bool names_find(const struct place *address, struct place *named, bool *is_certain);

/*
 * For who remembers what names_find led to. A mark says which one name leads to the address, or that none
 * does; what was concluded after it was taken holds while names_are_as it says (but for the hour after which
 * a name is forgotten). names_use then uses up the name's credit, as names_find would.
 */
#define NAMES_SEVERAL                                                                                        \
    UINT64_MAX /* which one is meant must be found each time: the names are never as this says */
uint64_t names_mark(const struct place *address);
bool names_are_as(uint64_t mark);
void names_use(uint64_t mark);

/* Whether the name has no credit left, nor will before names_now is another. */
bool names_are_used(uint64_t mark);

/* Differs, and is never 0, after each look-up that was remembered. */
extern _Atomic uint64_t names_now __attribute__((visibility("hidden")));

#endif
