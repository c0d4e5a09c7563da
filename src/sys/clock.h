/* The clocks. Tests of the gate put others in their place at link time. */
#ifndef GUSSET_SYS_CLOCK_H
#define GUSSET_SYS_CLOCK_H

#include <stdint.h>

/* Microseconds of the monotonic clock: the same for all processes of the machine since its boot. */
uint64_t clock_now_us(void);

/* The same a few milliseconds behind, and several times cheaper to ask. */
uint64_t clock_coarse_us(void);

/* Milliseconds since 1970, for people and HTTP dates; never for decisions about intervals. */
uint64_t clock_unix_ms(void);

/* Sleeps at most ms milliseconds; a signal may end it early. errno is kept. */
void clock_sleep_ms(uint32_t ms);

#endif
