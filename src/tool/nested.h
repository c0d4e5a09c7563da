/*
 * What the shared state says of programs that retry by themselves (the counter `nested`): a sentence with the
 * advice that follows from it. Nothing is said where there is no state, or none that may be read.
 */
#ifndef GUSSET_TOOL_NESTED_H
#define GUSSET_TOOL_NESTED_H

#include "tool/reach.h"

/* state: the file that a process was told to use; NULL: the one that holds for the caller. */
void nested_note(struct reach *reach, const char *state);

#endif
