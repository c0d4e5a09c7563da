/* The clock and the dice of a test of the gate: what sys/clock and sys/random do, for one test program. */
#ifndef GUSSET_TESTS_GATE_OWN_CLOCK_H
#define GUSSET_TESTS_GATE_OWN_CLOCK_H

#include <stdint.h>

#include "sys/clock.h"
#include "sys/random.h"

static _Atomic uint64_t now_us = 1000000000;
static uint64_t dice = UINT64_MAX;

uint64_t clock_now_us(void)
{
    return now_us;
}

uint64_t clock_coarse_us(void)
{
    return now_us;
}

uint64_t clock_unix_ms(void)
{
    return 1800000000000 + now_us / 1000;
}

void clock_sleep_ms(uint32_t ms)
{
    now_us += (uint64_t)ms * 1000;
}

uint64_t random_word(void)
{
    return dice;
}

static inline void pass_ms(uint64_t ms)
{
    now_us += ms * 1000;
}

#endif
