/* Rules for a verb. Where it compiles them, running programs that only connect learn that they are there. */
#ifndef GUSSET_TOOL_COMPILED_H
#define GUSSET_TOOL_COMPILED_H

#include <stddef.h>

#include "config/rules.h"

/*
 * Opens the rules that answer the request, compiling them where they are stale. Returns 0 (*rules NULL: no
 * configuration), or -errno with a sentence in text.
 */
int compiled_rules(const struct rules **rules, const struct source_request *request, char *text, size_t size);

#endif
