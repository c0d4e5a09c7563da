/*
 * A word that differs in every process that descends from another by fork: what a process keeps for
 * itself alone (random states, connections) is marked with it, and no longer its own when the mark
 * differs. Costs two loads; no system call and nothing to register with libc.
 */
#ifndef GUSSET_SYS_GENERATION_H
#define GUSSET_SYS_GENERATION_H

#include <stdatomic.h>
#include <stdint.h>

/* A page that the kernel wipes in a forked child; NULL until it was first asked for. For generation_now. */
extern _Atomic uint64_t *_Atomic generation_page;

/* The way that is taken once in each process, and always where the kernel wipes no pages. */
uint64_t generation_find(void);

/* The process's generation; never 0. */
static inline uint64_t generation_now(void)
{
    _Atomic uint64_t *page = atomic_load_explicit(&generation_page, memory_order_acquire);
    uint64_t now = page ? atomic_load_explicit(page, memory_order_relaxed) : 0;
    return now ? now : generation_find();
}

#endif
