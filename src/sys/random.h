/* Random numbers for jitter and ids: fast, different in every thread and after every fork; not for keys. */
#ifndef GUSSET_SYS_RANDOM_H
#define GUSSET_SYS_RANDOM_H

#include <stdint.h>

struct random_pair {
    uint64_t words[2];
};

uint64_t random_word(void);

/*
 * A word that does not come twice from one thread, and the thread's name: a random word, never 0, that is
 * another in every thread and after every fork. Together they are as unlikely to come twice as any two words.
 */
uint64_t random_named_word(uint64_t *name);

/* Two words, for less than twice the cost. */
struct random_pair random_pair(void);

/* Sixteen bytes straight from the kernel, for a key. errno is kept. */
void random_key(uint64_t key[2]);

static inline uint32_t random_32(void)
{
    return (uint32_t)(random_word() >> 32);
}

#endif
