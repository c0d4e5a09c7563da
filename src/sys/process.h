/*
 * Which process this is, and whether another still lives: by number and by when it began, since numbers come
 * round again, and by where its stack lies, which tells one program from the next that it becomes by exec.
 * /proc is read with raw system calls; nothing is allocated, errno is kept.
 */
#ifndef GUSSET_SYS_PROCESS_H
#define GUSSET_SYS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process {
    uint32_t pid;
    uint64_t started; /* clock ticks since boot; 0: /proc does not tell */
    uint64_t stack; /* where the kernel put it at the last exec; 0: /proc does not tell, as of a stranger's */
    uint64_t space; /* the pid namespace's inode; 0: /proc does not tell */
};

/* This process; read once in each, a forked child being another. */
struct process process_self(void);

/*
 * Whether a process of this number runs in our pid namespace; one that has ended and was not waited for does
 * not. *found is what /proc tells of it, but for the namespace.
 */
bool process_runs(uint32_t pid, struct process *found);

#endif
