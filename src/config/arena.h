/*
 * Memory that is taken and never given back, in mappings of its own: lock-free, without malloc, so that a
 * policy can be made ready wherever connect(2) may be called.
 */
#ifndef GUSSET_CONFIG_ARENA_H
#define GUSSET_CONFIG_ARENA_H

#include <stdatomic.h>
#include <stddef.h>

struct arena_chunk;

struct arena { /* zero is an empty arena */
    _Atomic(struct arena_chunk *) newest;
};

/* size zeroed bytes, aligned for any scalar; NULL when memory fails. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of the text; NULL when memory fails. */
const char *arena_copy(struct arena *arena, const char *text);

/* Ends the arena and all that was taken from it; for tests. */
void arena_clear(struct arena *arena);

#endif
