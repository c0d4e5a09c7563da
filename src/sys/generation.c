/*
 * The word lies on a page of its own that the kernel gives to a forked child filled with zeros
 * (MADV_WIPEONFORK, Linux 4.14); whoever finds the zero writes a new word. Older kernels: the process
 * id stands for the generation.
 */
#include "sys/generation.h"

#include <errno.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "sys/raw.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

_Atomic uint64_t *_Atomic generation_page;

static _Atomic uint64_t unmarked; /* stands for "this kernel wipes no pages" */

static _Atomic uint64_t *open_page(void)
{
    const int kept = errno;
    const size_t size = (size_t)getauxval(AT_PAGESZ);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _Atomic uint64_t *made = page == MAP_FAILED ? &unmarked : page;
    if (made != &unmarked && sys_madvise(page, size, MADV_WIPEONFORK) != 0) {
        munmap(page, size);
        made = &unmarked;
    }
    _Atomic uint64_t *before = NULL;
    if (!atomic_compare_exchange_strong(&generation_page, &before, made)) {
        if (made != &unmarked)
            munmap(page, size);
        made = before;
    }
    errno = kept;
    return made;
}

/* A process differs from each of its ancestors by its id or, where an id came round again, by its time. */
static uint64_t new_word(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) << 22) +
           ((uint64_t)sys_getpid() << 1 | 1);
}

uint64_t generation_find(void)
{
    _Atomic uint64_t *page = atomic_load_explicit(&generation_page, memory_order_acquire);
    if (!page)
        page = open_page();
    if (page == &unmarked)
        return (uint64_t)sys_getpid();
    uint64_t found = 0, fresh = new_word();
    return atomic_compare_exchange_strong(page, &found, fresh) ? fresh : found;
}
