#include "sim/dice.h"

uint64_t dice_word(struct dice *dice)
{
    uint64_t x = dice->counter += 0x9e3779b97f4a7c15u;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

double dice_share(struct dice *dice)
{
    return (double)(dice_word(dice) >> 11) * 0x1p-53;
}

double dice_about_one(struct dice *dice, double spread)
{
    return 1.0 + spread * (2.0 * dice_share(dice) - 1.0);
}

struct dice dice_of(uint64_t seed, uint64_t who, uint64_t which)
{
    struct dice dice = {seed};

    dice.counter = dice_word(&dice) ^ who;
    dice.counter = dice_word(&dice) ^ which;
    return dice;
}
