#include "state/path.h"

#include <string.h>

size_t path_append(char *text, size_t length, size_t room, const char *more)
{
    const size_t more_length = strlen(more);
    if (length + more_length >= room)
        return room; /* and so on for what follows: it has not fitted */
    memcpy(text + length, more, more_length + 1);
    return length + more_length;
}

size_t path_append_number(char *text, size_t length, size_t room, uint64_t number, unsigned base)
{
    char digits[24];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    return path_append(text, length, room, at);
}
