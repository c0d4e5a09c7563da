/* The completions of the shells, each in a file of its own: written from the table of verbs. */
#ifndef GUSSET_TOOL_COMPLETION_H
#define GUSSET_TOOL_COMPLETION_H

#include <stdio.h>

void bash_write(FILE *to);
void zsh_write(FILE *to);
void fish_write(FILE *to);

#endif
