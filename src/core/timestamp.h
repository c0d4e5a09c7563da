/* A moment as RFC 3339 writes it, "2026-12-01T00:00:00Z", and as seconds since 1970. */
#ifndef GUSSET_CORE_TIMESTAMP_H
#define GUSSET_CORE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMESTAMP_ROOM = 21 }; /* of one and its NUL */

/* Reads one, with "Z" or an offset such as "+01:00"; a fraction of a second is cut off. False when it is
 * none, or not between 1970 and 2106. */
bool timestamp_read(const char *text, size_t length, uint32_t *unix_s);

/* Writes it in UTC. */
void timestamp_write(uint32_t unix_s, char text[TIMESTAMP_ROOM]);

#endif
