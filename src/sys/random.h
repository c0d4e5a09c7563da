/* Random numbers for jitter and ids: fast, different in every thread and after every fork; not for keys. */
#ifndef GUSSET_SYS_RANDOM_H
#define GUSSET_SYS_RANDOM_H

#include <stdint.h>

uint64_t random_word(void);

static inline uint32_t random_32(void)
{
    return (uint32_t)(random_word() >> 32);
}

#endif
