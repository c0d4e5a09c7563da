/*
 * What a person may have meant where libconfig says no more than "syntax error": the line to look at, and
 * a sentence about it. What may hold a secret is not shown.
 */
#ifndef GUSSET_CONFIG_SYNTAX_H
#define GUSSET_CONFIG_SYNTAX_H

#include "config/include.h"
#include "config/value.h"

/*
 * Adds to out what stands at the line of the whole text (from 1, as libconfig names it). Returns the line to
 * blame: libconfig finds an end that is missing behind the last one, and then it is that which lacks it.
 */
uint32_t syntax_explain(const struct include_text *text, uint32_t line, struct value_text *out);

#endif
