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

/* Two digits a byte: "00" to "ff". */
#define ROW(high)                                                                                            \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high "a" high  \
         "b" high "c" high "d" high "e" high "f"
static const char pairs[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7") ROW("8")
    ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

static inline void write_hex2(char *text, uint64_t byte)
{
    memcpy(text, pairs + 2 * (byte & 0xff), 2);
}

/* Written out: a loop costs twice as much, and a request id is a fifteenth of a request's cost. */
static inline void write_hex16(char *text, uint64_t value)
{
    write_hex2(text, value >> 56);
    write_hex2(text + 2, value >> 48);
    write_hex2(text + 4, value >> 40);
    write_hex2(text + 6, value >> 32);
    write_hex2(text + 8, value >> 24);
    write_hex2(text + 10, value >> 16);
    write_hex2(text + 12, value >> 8);
    write_hex2(text + 14, value);
}

/* The digits of a UUID come in one run, and are then parted by dashes. */
void trace_new_id(char id[TRACE_ID_ROOM])
{
    uint64_t high = (random_word() & ~(uint64_t)0xF000) | 0x4000;              /* version 4 */
    uint64_t low = (random_word() & ~((uint64_t)3 << 62)) | (uint64_t)1 << 63; /* variant 10 */
    char digits[32];

    write_hex16(digits, high);
    write_hex16(digits + 16, low);
    memcpy(id, digits, 8);
    id[8] = '-';
    memcpy(id + 9, digits + 8, 4);
    id[13] = '-';
    memcpy(id + 14, digits + 12, 4);
    id[18] = '-';
    memcpy(id + 19, digits + 16, 4);
    id[23] = '-';
    memcpy(id + 24, digits + 20, 12);
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
    write_hex16(value + TRACE_AT, random_word());
    write_hex16(value + TRACE_AT + 16, random_word() | 1);
    value[SPAN_AT - 1] = '-';
    memcpy(value + FLAGS_AT - 1, "-01", 4);
    trace_next_span(line);
}

void trace_next_span(char line[TRACE_PARENT_ROOM])
{
    write_hex16(line + sizeof prefix - 1 + SPAN_AT, random_word() | 1);
}
