/*
 * Dice that fall alike for the same seed: SplitMix64. What happens to a call is drawn from dice of its own
 * (by client, call and attempt), so that the world is the same whatever a policy does in it.
 */
#ifndef GUSSET_SIM_DICE_H
#define GUSSET_SIM_DICE_H

#include <stdint.h>

struct dice {
    uint64_t counter;
};

uint64_t dice_word(struct dice *dice);

/* 0 <= x < 1. */
double dice_share(struct dice *dice);

/* 1 - spread <= x < 1 + spread. */
double dice_about_one(struct dice *dice, double spread);

/* Dice of the one who is called so. */
struct dice dice_of(uint64_t seed, uint64_t who, uint64_t which);

#endif
