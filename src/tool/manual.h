/* The generated parts of the manual, as mdoc(7) source: the build puts them into src/man's pages. */
#ifndef GUSSET_TOOL_MANUAL_H
#define GUSSET_TOOL_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

/* "verbs", "settings-of-file", "settings-of-policy", "settings-of-service", "policies"; false for another
 * part. */
bool manual_write(const char *part, FILE *to);

#endif
