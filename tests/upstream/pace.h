/* How many bytes slow=BYTES lets through by now: a step every 50 ms, the first at once.
 *     1000 bytes a second:  at 0 ms 50 · at 50 ms 100 · at 120 ms 150 · at 1000 ms 1050
 * Rates under 20 give nothing at some steps. Time comes in as an argument. */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

enum { PACE_STEP_MS = 50 };

struct pace {
    uint64_t bytes_per_second; /* 0: unpaced */
    uint64_t start_ns;
    uint64_t spent;
};

/* Bytes that may go now, beyond what is spent; UINT64_MAX if unpaced. */
uint64_t pace_allowance(const struct pace *pace, uint64_t now_ns);

/* When the next step begins. */
uint64_t pace_next_ns(const struct pace *pace, uint64_t now_ns);

#endif
