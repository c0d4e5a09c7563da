/* Settings as sentences and files show them: a value as a user would write it, and what would be one. */
#ifndef GUSSET_CONFIG_PRINT_H
#define GUSSET_CONFIG_PRINT_H

#include <stddef.h>

#include "config/settings.h"

/*
 * Writes the setting's value in base, lists with ", " between. pool is where texts lie. Returns the length,
 * cut to size; text is NUL-terminated.
 */
size_t print_field(const struct settings_entry *entry, const void *base, const char *pool, char *text,
                   size_t size);

/* Writes what the setting wants: `a duration with a unit such as "5s", from 0s to 168h`. Returns the length,
 * cut to size. */
size_t print_expected(const struct settings_entry *entry, char *text, size_t size);

#endif
