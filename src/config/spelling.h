/* What a mistyped word was meant to be: a setting's key, a policy's name, a verb. */
#ifndef GUSSET_CONFIG_SPELLING_H
#define GUSSET_CONFIG_SPELLING_H

#include <stddef.h>

#include "config/settings.h"

/*
 * The known key nearest to a mistyped one, of those at the same place and level, and of words, a list that
 * NULL ends (NULL: none): keys of the first level that are no settings of the table. NULL when none is near.
 */
const char *spelling_nearest(const char *key, size_t length, enum settings_place place,
                             const char *const *words);

/* How much of a key that spelling_nearest gave is on the mistyped key's own level: "retry" of "retry.on" for
 * "rety". */
size_t spelling_level_length(const char *near, const char *key);

/* The distance from which on nothing is near a mistyped word of so many letters. */
unsigned spelling_reach(size_t length);

/* Letters to change, insert, drop or swap to make one word of the other; for suggestions. */
unsigned spelling_distance(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
