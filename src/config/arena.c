#include "config/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK_SIZE = 64 << 10, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t size;
    _Atomic size_t used;
    _Alignas(ALIGNMENT) char bytes[];
};

/* Puts a chunk with room for size bytes in front. Another thread may do so at the same time; then its chunk
 * serves. */
static int add_chunk(struct arena *arena, struct arena_chunk *newest, size_t size)
{
    size_t whole = sizeof *newest + size > CHUNK_SIZE ? sizeof *newest + size : CHUNK_SIZE;
    struct arena_chunk *chunk = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED)
        return -1;
    chunk->older = newest;
    chunk->size = whole - sizeof *chunk;
    if (!atomic_compare_exchange_strong(&arena->newest, &newest, chunk))
        munmap(chunk, whole);
    return 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    for (;;) {
        struct arena_chunk *chunk = atomic_load(&arena->newest);
        if (chunk) {
            size_t used = atomic_load(&chunk->used);
            while (used + size <= chunk->size)
                if (atomic_compare_exchange_weak(&chunk->used, &used, used + size))
                    return chunk->bytes + used;
        }
        if (add_chunk(arena, chunk, size) < 0)
            return NULL;
    }
}

const char *arena_copy(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = arena_take(arena, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void arena_clear(struct arena *arena)
{
    struct arena_chunk *chunk = atomic_load(&arena->newest);
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        munmap(chunk, sizeof *chunk + chunk->size);
        chunk = older;
    }
    atomic_store(&arena->newest, NULL);
}
