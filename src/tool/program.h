/*
 * The program that is to be run: found as execvp(3) finds it, and looked at, because the loader passes
 * over LD_PRELOAD without a word where a program is static or privileged.
 */
#ifndef GUSSET_TOOL_PROGRAM_H
#define GUSSET_TOOL_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Finds name through $PATH, or as it is where it has a slash. Returns 0, -ENOENT (127), -EACCES or another
 * errno (126).
 */
int program_find(const char *name, char path[PATH_MAX]);

/* The ELF file behind a path: itself, or the interpreter of a script. False when there is none to be found.
 */
bool program_resolve(const char *path, char binary[PATH_MAX]);

/*
 * Whether the loader will put the library into the program: follows the interpreters of scripts. Returns 0
 * when it will, or nobody can tell; -1 with the reason and what to do in reason.
 */
int program_can_be_wrapped(const char *path, const char *library, char *reason, size_t size);

#endif
