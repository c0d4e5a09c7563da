/*
 * xoshiro256** (Blackman and Vigna 2018, public domain), one state a thread, seeded by getrandom(2).
 *
 * After a fork the child holds a copy of its parent's state and would repeat its numbers. One word for
 * the whole process, on a page that the kernel wipes in the child (MADV_WIPEONFORK, Linux 4.14), names
 * the process's generation; a thread whose state is of another generation seeds anew. Older kernels:
 * the process id stands for the generation.
 *
 * A signal handler may interrupt random_word and draw from the same state; so each result is mixed with
 * the clock, which cannot show both the same nanosecond.
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
    uint64_t words[4];
    uint64_t generation; /* 0: never seeded */
};

/* initial-exec: the general model may call malloc at the first access. */
static _Thread_local struct random_state own __attribute__((tls_model("initial-exec")));

static _Atomic uint64_t unmarked; /* stands for "this kernel wipes no pages" */
static _Atomic uint64_t *_Atomic mark;

/* SplitMix64's output function (Steele, Lea and Flood 2014). */
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
static void seed_poorly(uint64_t words[4])
{
    const unsigned char *given = (const unsigned char *)(uintptr_t)getauxval(AT_RANDOM);
    uint64_t x = mixed(clock_word()) ^ mixed((uint64_t)getpid() << 32) ^ mixed((uintptr_t)words);
    for (unsigned i = 0; given && i < 16; i++)
        x = mixed(x + given[i]);
    for (unsigned i = 0; i < 4; i++)
        words[i] = mixed(x += 0x9e3779b97f4a7c15u);
}

static void seed(uint64_t words[4])
{
    const size_t size = 4 * sizeof words[0];
    if (sys_getrandom(words, size) != (long)size)
        seed_poorly(words);
    words[0] |= 1; /* the state of nothing but zeros would stay there */
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
    uint64_t fresh[4];
    seed(fresh);
    return atomic_compare_exchange_strong(word, &generation, fresh[0]) ? fresh[0] : generation;
}

static uint64_t rotated(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t drawn(uint64_t s[4])
{
    const uint64_t result = rotated(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

uint64_t random_word(void)
{
    const uint64_t generation = generation_now();
    if (own.generation != generation) {
        seed(own.words);
        own.generation = generation;
    }
    return drawn(own.words) ^ mixed(clock_word());
}
