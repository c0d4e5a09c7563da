/*
 * Which hosts the rules mean, for a program: what `gusset doctor` says of what is seen, beside what is not.
 */
#ifndef GUSSET_TOOL_COVER_H
#define GUSSET_TOOL_COVER_H

#include "tool/reach.h"

/*
 * Adds a sentence that names the hosts of the rules that hold for a program of that name; none where there is
 * no configuration. config: the file that it was told to use; NULL or "": what holds here. A faulty
 * configuration means nobody, and so it says.
 */
void cover_note(struct reach *reach, const char *program, const char *config);

#endif
