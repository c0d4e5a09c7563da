#include "sim/virtual.h"

#include <stdbool.h>

#include "config/draw.h"
#include "config/variants.h"
#include "sim/dice.h"

/* An hour of uptime, and a day in 2027: no word of the state is then zero by chance. */
static const uint64_t UPTIME_US = 3600u * UINT64_C(1000000), UNIX_MS = UINT64_C(1800000000000);

static struct {
    bool is_on;
    uint64_t us;
    uint64_t seed;
    struct dice dice;
} now;

void virtual_begin(uint64_t seed)
{
    now.is_on = true;
    now.us = 0;
    now.seed = seed;
    now.dice = dice_of(seed, 0, 0);
}

void virtual_set_us(uint64_t us)
{
    now.us = us;
}

void virtual_end(void)
{
    now.is_on = false;
}

uint64_t virtual_clock_us(uint64_t us)
{
    return UPTIME_US + us;
}

uint64_t virtual_since_us(uint64_t clock_us)
{
    return clock_us > UPTIME_US ? clock_us - UPTIME_US : 0;
}

/* The names are the linker's: __wrap_X stands where X is called, __real_X is X. */
uint64_t __real_clock_now_us(void);
uint64_t __real_clock_coarse_us(void);
uint64_t __real_clock_unix_ms(void);
uint64_t __real_random_word(void);
uint64_t __real_draw_for(const struct draw *draw, uint32_t by);
uint64_t __wrap_clock_now_us(void);
uint64_t __wrap_clock_coarse_us(void);
uint64_t __wrap_clock_unix_ms(void);
uint64_t __wrap_random_word(void);
uint64_t __wrap_draw_for(const struct draw *draw, uint32_t by);

uint64_t __wrap_clock_now_us(void)
{
    return now.is_on ? virtual_clock_us(now.us) : __real_clock_now_us();
}

uint64_t __wrap_clock_coarse_us(void)
{
    return now.is_on ? virtual_clock_us(now.us) : __real_clock_coarse_us();
}

uint64_t __wrap_clock_unix_ms(void)
{
    return now.is_on ? UNIX_MS + now.us / 1000 : __real_clock_unix_ms();
}

uint64_t __wrap_random_word(void)
{
    return now.is_on ? dice_word(&now.dice) : __real_random_word();
}

/* Of a rule's variants this process has drawn one by chance, where it has no id: a simulation has the same
 * each time. */
uint64_t __wrap_draw_for(const struct draw *draw, uint32_t by)
{
    bool has_id = by == VARIANTS_BY_REQUEST  ? draw->request
                  : by == VARIANTS_BY_TENANT ? draw->tenant
                  : by == VARIANTS_BY_ANY    ? draw->request || draw->tenant
                                             : false;
    struct dice dice = dice_of(now.seed, 0, 1);
    return now.is_on && !has_id ? dice_word(&dice) : __real_draw_for(draw, by);
}
