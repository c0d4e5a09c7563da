/* The calling thread's stack: how much of it is left. */
#ifndef GUSSET_SYS_STACK_H
#define GUSSET_SYS_STACK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether so many bytes more may be used, as far as can be told: a system call for each page of them. The
 * first thread's stack grows, so there the answer is always yes.
 */
bool stack_has_room(size_t bytes);

#endif
