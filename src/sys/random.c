/*
 * SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter, mixed; one a thread, seeded by
 * getrandom(2), and a second seed word over the result, so that ids of two words hold 128 seed bits.
 * The counter is moved by one atomic addition, because a signal handler may draw in between.
 *
 * After a fork the child holds a copy of its parent's state and would repeat its numbers. One word for
 * the whole process, on a page that the kernel wipes in the child (MADV_WIPEONFORK, Linux 4.14), names
 * the process's generation; a thread whose state is of another generation seeds anew. Older kernels:
 * the process id stands for the generation.
 */
#include "sys/random.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "sys/raw.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct random_state {
    _Atomic uint64_t counter;
    uint64_t key;
    uint64_t generation; /* 0: never seeded */
};

/* initial-exec: the general model may call malloc at the first access. */
static _Thread_local struct random_state own __attribute__((tls_model("initial-exec")));

static _Atomic uint64_t unmarked; /* stands for "this kernel wipes no pages" */
static _Atomic uint64_t *_Atomic mark;

static const uint64_t GOLDEN = 0x9e3779b97f4a7c15u; /* 2^64 divided by the golden ratio: SplitMix64's step */

/* SplitMix64's output function. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t clock_word(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Without getrandom: what differs between processes, threads and moments. */
static void seed_poorly(uint64_t words[2])
{
    const unsigned char *given = (const unsigned char *)(uintptr_t)getauxval(AT_RANDOM);
    uint64_t x = mixed(clock_word()) ^ mixed((uint64_t)getpid() << 32) ^ mixed((uintptr_t)words);
    for (unsigned i = 0; given && i < 16; i++)
        x = mixed(x + given[i]);
    for (unsigned i = 0; i < 2; i++)
        words[i] = mixed(x += GOLDEN);
}

static void seed(uint64_t words[2])
{
    const size_t size = 2 * sizeof words[0];
    if (sys_getrandom(words, size) != (long)size)
        seed_poorly(words);
}

static _Atomic uint64_t *mark_open(void)
{
    const int kept = errno;
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _Atomic uint64_t *made = page == MAP_FAILED ? &unmarked : page;
    if (made != &unmarked && madvise(page, size, MADV_WIPEONFORK) != 0) {
        munmap(page, size);
        made = &unmarked;
    }
    _Atomic uint64_t *before = NULL;
    if (!atomic_compare_exchange_strong(&mark, &before, made)) {
        if (made != &unmarked)
            munmap(page, size);
        made = before;
    }
    errno = kept;
    return made;
}

static uint64_t generation_now(void)
{
    _Atomic uint64_t *word = atomic_load_explicit(&mark, memory_order_acquire);
    if (!word)
        word = mark_open();
    if (word == &unmarked)
        return (uint64_t)getpid();
    uint64_t generation = atomic_load_explicit(word, memory_order_relaxed);
    if (generation != 0)
        return generation;
    uint64_t fresh[2];
    seed(fresh);
    fresh[0] |= 1; /* 0 would say: not seeded */
    return atomic_compare_exchange_strong(word, &generation, fresh[0]) ? fresh[0] : generation;
}

/* Seeds this thread, unless it is seeded for the process as it is now. Out of the quick way. */
static __attribute__((noinline)) void begin_if_new(void)
{
    const uint64_t generation = generation_now();
    uint64_t words[2];

    if (own.generation == generation)
        return;
    seed(words);
    atomic_store_explicit(&own.counter, words[0], memory_order_relaxed);
    own.key = words[1];
    own.generation = generation;
}

/* The first of so many steps of the counter, which are then the caller's alone. */
static inline uint64_t take_steps(unsigned steps)
{
    _Atomic uint64_t *word = atomic_load_explicit(&mark, memory_order_acquire);

    if (!word || !own.generation || atomic_load_explicit(word, memory_order_relaxed) != own.generation)
        begin_if_new();
    return atomic_fetch_add_explicit(&own.counter, steps * GOLDEN, memory_order_relaxed);
}

uint64_t random_word(void)
{
    return mixed(take_steps(1)) ^ own.key;
}

struct random_pair random_pair(void)
{
    uint64_t counter = take_steps(2);
    return (struct random_pair){
        {mixed(counter) ^ own.key, mixed(counter + GOLDEN) ^ own.key}
    };
}
