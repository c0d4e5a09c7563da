/*
 * SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter, mixed; one a thread, seeded by
 * getrandom(2), and a second seed word over the result, so that ids of two words hold 128 seed bits.
 * The counter is moved by one atomic addition, because a signal handler may draw in between.
 *
 * After a fork the child holds a copy of its parent's state and would repeat its numbers: a thread whose
 * state is of another generation (sys/generation.h) seeds anew.
 */
#include "sys/random.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <time.h>

#include "sys/generation.h"
#include "sys/raw.h"

struct random_state {
    _Atomic uint64_t counter;
    uint64_t key;
    uint64_t name;
    uint64_t generation; /* 0: never seeded */
};

/* initial-exec: the general model may call malloc at the first access. */
static _Thread_local struct random_state own __attribute__((tls_model("initial-exec")));

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
    uint64_t x = mixed(clock_word()) ^ mixed((uint64_t)sys_getpid() << 32) ^ mixed((uintptr_t)words);
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

/* Seeds this thread for the process as it is now. Out of the quick way. */
static __attribute__((noinline)) void begin(uint64_t generation)
{
    uint64_t words[2], name[2];

    seed(words);
    seed(name);
    atomic_store_explicit(&own.counter, words[0], memory_order_relaxed);
    own.key = words[1];
    own.name = name[0] | 1;
    own.generation = generation;
}

/* The first of so many steps of the counter, which are then the caller's alone. */
static inline uint64_t take_steps(unsigned steps)
{
    const uint64_t generation = generation_now();

    if (own.generation != generation)
        begin(generation);
    return atomic_fetch_add_explicit(&own.counter, steps * GOLDEN, memory_order_relaxed);
}

uint64_t random_word(void)
{
    return mixed(take_steps(1)) ^ own.key;
}

uint64_t random_named_word(uint64_t *name)
{
    uint64_t counter = take_steps(1);

    *name = own.name;
    return mixed(counter) ^ own.key;
}

struct random_pair random_pair(void)
{
    uint64_t counter = take_steps(2);
    return (struct random_pair){
        {mixed(counter) ^ own.key, mixed(counter + GOLDEN) ^ own.key}
    };
}

void random_key(uint64_t key[2])
{
    seed(key);
}
