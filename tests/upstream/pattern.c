#include "pattern.h"

#include <stdbool.h>

enum { PATTERN_LINE = 64, PATTERN_SIGNS = 62, PATTERN_PERIOD = PATTERN_LINE * PATTERN_SIGNS };

static const char signs[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct span pattern_period(void)
{
    static char bytes[PATTERN_PERIOD];
    static bool ready;
    for (size_t i = 0; !ready && i < PATTERN_PERIOD; i++)
        bytes[i] = signs[(i / PATTERN_LINE + i % PATTERN_LINE) % PATTERN_SIGNS];
    for (size_t i = PATTERN_LINE - 1; !ready && i < PATTERN_PERIOD; i += PATTERN_LINE)
        bytes[i] = '\n';
    ready = true;
    return (struct span){bytes, PATTERN_PERIOD};
}

void pattern_add(struct buffer *to, struct span period, uint64_t place, size_t length)
{
    while (length) {
        size_t from = (size_t)(place % period.length);
        size_t piece = period.length - from < length ? period.length - from : length;
        buffer_add(to, period.at + from, piece);
        place += piece;
        length -= piece;
    }
}
