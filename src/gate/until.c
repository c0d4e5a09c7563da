#include "gate/until.h"

#include <stdlib.h>

#include "sys/clock.h"

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool until_parse(const char *text, uint64_t *unix_ms)
{
    const uint64_t most_s = UINT64_C(1) << 40; /* some tens of thousands of years */
    uint64_t seconds = 0, fraction_ms = 0;

    if (!is_digit(*text))
        return false;
    for (; is_digit(*text) && seconds < most_s; text++)
        seconds = seconds * 10 + (uint64_t)(*text - '0');
    if (*text == '.')
        for (uint64_t digit_ms = 100; is_digit(*++text); digit_ms /= 10)
            fraction_ms += digit_ms * (uint64_t)(*text - '0');
    if (*text || seconds >= most_s)
        return false;
    *unix_ms = seconds * 1000 + fraction_ms;
    return true;
}

uint64_t until_inherited_us(void)
{
    const char *text = getenv("GUSSET_DEADLINE");
    uint64_t unix_ms, now_ms = clock_unix_ms(), now_us = clock_now_us();

    if (!text || !until_parse(text, &unix_ms))
        return 0;
    if (unix_ms >= now_ms)
        return now_us + (unix_ms - now_ms) * 1000;
    return now_us > (now_ms - unix_ms) * 1000 ? now_us - (now_ms - unix_ms) * 1000 : 1;
}
