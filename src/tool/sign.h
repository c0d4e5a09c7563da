/*
 * The signs beyond ASCII that tables, curves and help are made of, and what stands in their place where the
 * locale is one without Unicode.
 */
#ifndef GUSSET_TOOL_SIGN_H
#define GUSSET_TOOL_SIGN_H

#include <stdio.h>

/* The sign, or what stands for it, which takes one column as well. Static, or the argument. */
const char *sign_of(const char *sign);

/* Prints text, whatever signs stand in it; three dots for an ellipsis. */
void sign_print(FILE *to, const char *text);

#endif
