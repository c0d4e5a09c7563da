/* Where libgusset.so lies, and how it gets into LD_PRELOAD. */
#ifndef GUSSET_TOOL_LIBRARY_H
#define GUSSET_TOOL_LIBRARY_H

#include <limits.h>
#include <stddef.h>

/*
 * Finds the library: $GUSSET_LIBRARY, beside the command, in ../lib or ../lib/<triplet> of it, in the folder
 * that it was built for. Writes its absolute path. Returns 0, or -1 with a sentence in reason.
 */
int library_find(char path[PATH_MAX], char *reason, size_t size);

/*
 * The value of LD_PRELOAD with the library first, what stood there behind it, itself but once. Heap; NULL
 * without memory.
 */
char *library_preload(const char *path, const char *present);

#endif
