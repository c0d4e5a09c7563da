/* What /proc says of a running process. */
#ifndef GUSSET_TOOL_RUNNING_H
#define GUSSET_TOOL_RUNNING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { RUNNING_FILE_MOST = 65536 };

/* A file of its folder: text in RUNNING_FILE_MOST bytes, "" where it cannot be read. Returns its length. */
size_t running_read(pid_t pid, const char *name, char *text);

/* The value of a variable that a process was started with, in its "environ"; NULL: it has none. */
const char *running_variable(const char *environment, size_t length, const char *name);

/* Whether it was started with more privileges than its caller had. */
bool running_is_secure(pid_t pid);

/* By seccomp. */
bool running_is_confined(pid_t pid);

bool running_is_in_other_mounts(pid_t pid);

/* The state that it shares, a file that it has mapped so. False: none as yet, or none to be found. */
bool running_state(pid_t pid, char path[PATH_MAX]);

#endif
