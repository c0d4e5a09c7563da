/*
 * Whether the program has threads. While it has none, nothing but a signal handler can change what a function
 * of gusset's is in the middle of.
 */
#ifndef GUSSET_SYS_THREADS_H
#define GUSSET_SYS_THREADS_H

#include <stdbool.h>

/* Whether this is the only thread, and so until it makes another itself; false where libc does not tell. */
bool threads_are_none(void);

#endif
