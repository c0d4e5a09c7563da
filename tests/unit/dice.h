/* Dice that fall the same way in each run: Marsaglia's xorshift64. */
#ifndef GUSSET_TESTS_DICE_H
#define GUSSET_TESTS_DICE_H

#include <stdint.h>

#define DICE_SEED UINT64_C(88172645463325252)

/* The next word of a row that begins with DICE_SEED. */
static inline uint64_t dice_next(uint64_t *word)
{
    *word ^= *word << 13;
    *word ^= *word >> 7;
    *word ^= *word << 17;
    return *word;
}

/* The next of the program's own row, mixed (xorshift64*). */
static inline uint64_t dice(void)
{
    static uint64_t word = DICE_SEED;
    return dice_next(&word) * 0x2545f4914f6cdd1du;
}

#endif
