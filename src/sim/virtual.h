/*
 * The clock and the dice of a simulation. The command is linked with --wrap: each call of clock_now_us,
 * clock_coarse_us, clock_unix_ms, random_word and draw_for comes here, and goes on to the real ones but while
 * a simulation runs. So the engine is the library's own, object for object, and the library knows nothing of
 * this.
 */
#ifndef GUSSET_SIM_VIRTUAL_H
#define GUSSET_SIM_VIRTUAL_H

#include <stdint.h>

/* Times of a simulation count from its beginning, in microseconds. */
void virtual_begin(uint64_t seed);
void virtual_set_us(uint64_t us);
void virtual_end(void);

/* What the engine's clock shows at that time of the simulation, and back. */
uint64_t virtual_clock_us(uint64_t us);
uint64_t virtual_since_us(uint64_t clock_us);

#endif
