/*
 * States of other users beside the one that a verb is about: each user has one of their own, and who asks
 * as root of root's alone looks past the programs of all others.
 */
#ifndef GUSSET_TOOL_OTHERS_H
#define GUSSET_TOOL_OTHERS_H

#include <stdio.h>

/*
 * Names those that lie beside the state (gusset-UID.vN) and may be opened, and how the verb is told to take
 * one of them; nothing where there is none.
 */
void others_tell(FILE *to, const char *state, const char *verb);

#endif
