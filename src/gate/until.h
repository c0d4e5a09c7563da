/*
 * GUSSET_DEADLINE: until when the calls of this process may go on, and those of the programs that it starts,
 * which inherit it. Unix time in seconds, decimals allowed.
 */
#ifndef GUSSET_GATE_UNTIL_H
#define GUSSET_GATE_UNTIL_H

#include <stdbool.h>
#include <stdint.h>

/* Reads "1764000000.5" to milliseconds since 1970. False, *unix_ms untouched, when the text is no such time.
 */
bool until_parse(const char *text, uint64_t *unix_ms);

/* What the environment says, as microseconds of the monotonic clock; 0: nothing, or nothing that can be read.
 */
uint64_t until_inherited_us(void);

#endif
