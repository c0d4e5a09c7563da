#include "pace.h"

static const uint64_t step_ns = PACE_STEP_MS * UINT64_C(1000000);

static uint64_t steps_begun(const struct pace *pace, uint64_t now_ns)
{
    return (now_ns - pace->start_ns) / step_ns + 1;
}

uint64_t pace_allowance(const struct pace *pace, uint64_t now_ns)
{
    if (pace->bytes_per_second == 0)
        return UINT64_MAX;
    uint64_t let = pace->bytes_per_second * steps_begun(pace, now_ns) * PACE_STEP_MS / 1000;
    return let > pace->spent ? let - pace->spent : 0;
}

uint64_t pace_next_ns(const struct pace *pace, uint64_t now_ns)
{
    return pace->start_ns + steps_begun(pace, now_ns) * step_ns;
}
