/*
 * A setting's field in the struct of its place (config/settings.h): what a user's text makes of it. base is
 * that struct: a policy, the file's settings or a service's.
 */
#ifndef GUSSET_CONFIG_FIELD_H
#define GUSSET_CONFIG_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "config/settings.h"

/*
 * Reads text into the field. Returns false, and changes nothing, when it is not what print_expected says. Not
 * for SETTINGS_TEXT.
 */
bool field_parse(const struct settings_entry *entry, void *base, const char *text, size_t length);

/* The table's default. Not for SETTINGS_TEXT. */
void field_reset(const struct settings_entry *entry, void *base);

/* Copies the setting's value from one base to another. */
void field_copy(const struct settings_entry *entry, void *to, const void *from);

#endif
