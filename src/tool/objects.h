/*
 * The ELF files that make up a program: the one that is started and the libraries that the loader would
 * bring along, or what a running process has mapped.
 */
#ifndef GUSSET_TOOL_OBJECTS_H
#define GUSSET_TOOL_OBJECTS_H

#include <stdbool.h>
#include <sys/types.h>

struct objects { /* zero is an empty list */
    char **paths;
    unsigned count;
};

/* The file first, then what it needs, breadth first. What is not found is passed over. */
void objects_of_file(struct objects *objects, const char *path);

/* The files that a process has mapped to run. Returns 0 or -errno (-EACCES: somebody else's process). */
int objects_of_process(struct objects *objects, pid_t pid);

void objects_clear(struct objects *objects);

/* The file's name without its folders. */
const char *objects_name(const char *path);

#endif
