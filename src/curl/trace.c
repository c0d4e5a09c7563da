#include "curl/trace.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/random.h"

static const char prefix[] = "traceparent: ";

enum {
    VALUE_LENGTH = 55, /* 00-(32 hex)-(16 hex)-(2 hex) */
    TRACE_AT = 3,
    SPAN_AT = 36,
    FLAGS_AT = 53
};

static void write_hex(char *text, unsigned digits, uint64_t value)
{
    while (digits--) {
        text[digits] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

void trace_new_id(char id[TRACE_ID_ROOM])
{
    uint64_t high = (random_word() & ~(uint64_t)0xF000) | 0x4000;              /* version 4 */
    uint64_t low = (random_word() & ~((uint64_t)3 << 62)) | (uint64_t)1 << 63; /* variant 10 */

    write_hex(id, 8, high >> 32);
    id[8] = '-';
    write_hex(id + 9, 4, high >> 16);
    id[13] = '-';
    write_hex(id + 14, 4, high);
    id[18] = '-';
    write_hex(id + 19, 4, low >> 48);
    id[23] = '-';
    write_hex(id + 24, 12, low);
    id[36] = '\0';
}

static bool is_hex(const char *text, unsigned digits)
{
    bool any = false;

    for (unsigned i = 0; i < digits; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
        any |= text[i] != '0';
    }
    return any; /* all zeroes is invalid for both ids */
}

static bool is_valid(const char *value)
{
    return value && strlen(value) == VALUE_LENGTH && memcmp(value, "00-", 3) == 0 &&
           is_hex(value + TRACE_AT, 32) && value[SPAN_AT - 1] == '-' && is_hex(value + SPAN_AT, 16) &&
           value[FLAGS_AT - 1] == '-' && strspn(value + FLAGS_AT, "0123456789abcdef") == 2;
}

void trace_begin(char line[TRACE_PARENT_ROOM])
{
    const char *parent = getenv("TRACEPARENT");
    char *value = line + sizeof prefix - 1;

    memcpy(line, prefix, sizeof prefix - 1);
    if (is_valid(parent)) {
        memcpy(value, parent, VALUE_LENGTH + 1);
        return;
    }
    memcpy(value, "00-", 3);
    write_hex(value + TRACE_AT, 16, random_word());
    write_hex(value + TRACE_AT + 16, 16, random_word() | 1);
    value[SPAN_AT - 1] = '-';
    memcpy(value + FLAGS_AT - 1, "-01", 4);
    trace_next_span(line);
}

void trace_next_span(char line[TRACE_PARENT_ROOM])
{
    write_hex(line + sizeof prefix - 1 + SPAN_AT, 16, random_word() | 1);
}
