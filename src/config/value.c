#include "config/value.h"

#include <string.h>

enum { FRACTION_MOST = 9 };

/* Reads digits with at most one point: value = number / 10^places. Returns the bytes read, 0 when it is no
 * number. */
static size_t read_digits(const char *text, size_t length, uint64_t *number, unsigned *places)
{
    size_t at = 0, digits = 0;
    bool behind = false;

    *number = 0;
    *places = 0;
    for (; at < length; at++) {
        if (text[at] == '.' && !behind) {
            behind = true;
            continue;
        }
        if (text[at] < '0' || text[at] > '9')
            break;
        if (*number > (UINT64_C(1) << 40) * 1000 || *places == FRACTION_MOST)
            return 0;
        *number = *number * 10 + (uint64_t)(text[at] - '0');
        *places += behind;
        digits++;
    }
    if (digits == 0 || (at > 0 && text[at - 1] == '.'))
        return 0;
    return at;
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

bool value_duration(const char *text, size_t length, uint64_t *ms)
{
    static const struct {
        const char *name;
        uint32_t ms;
    } units[] = {
        {"ms", 1      },
        {"s",  1000   },
        {"m",  60000  },
        {"h",  3600000}
    };
    uint64_t number;
    unsigned places;
    size_t digits = read_digits(text, length, &number, &places);

    if (digits == 0 || number > UINT64_C(1) << 40)
        return false;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) != length - digits ||
            memcmp(units[i].name, text + digits, length - digits) != 0)
            continue;
        uint64_t scale = power_of_ten(places);
        *ms = (number * units[i].ms + scale - 1) / scale;
        return true;
    }
    return false;
}

bool value_size(const char *text, size_t length, uint64_t *bytes)
{
    static const char units[] = "KMG";
    uint64_t number;
    unsigned places;
    size_t digits = read_digits(text, length, &number, &places);
    const char *unit = digits > 0 && digits + 1 == length ? strchr(units, text[digits]) : NULL;

    if (digits == 0 || number > UINT64_C(1) << 33 || (digits != length && (!unit || !*unit)))
        return false;
    for (const char *u = units; unit && u <= unit; u++)
        number *= 1024;
    *bytes = number / power_of_ten(places);
    return true;
}

bool value_decimal(const char *text, size_t length, unsigned places, uint64_t *number)
{
    unsigned behind;
    size_t digits = read_digits(text, length, number, &behind);

    if (digits == 0 || digits != length)
        return false;
    for (; behind > places; behind--) {
        if (*number % 10 != 0)
            return false;
        *number /= 10;
    }
    if (*number > UINT64_C(1) << 40)
        return false;
    *number *= power_of_ten(places - behind);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool value_next(const char *text, size_t length, size_t *at, struct value_word *word)
{
    while (*at < length) {
        size_t start = *at, end = start;
        while (end < length && text[end] != ',')
            end++;
        *at = end < length ? end + 1 : end;
        while (start < end && is_blank(text[start]))
            start++;
        while (end > start && is_blank(text[end - 1]))
            end--;
        if (end > start) {
            *word = (struct value_word){text + start, end - start};
            return true;
        }
    }
    return false;
}

void value_put_bytes(struct value_text *out, const char *bytes, size_t length)
{
    size_t room = out->size - 1 - out->length;
    if (length > room)
        length = room;
    memcpy(out->text + out->length, bytes, length);
    out->length += length;
    out->text[out->length] = 0;
}

void value_put(struct value_text *out, const char *text)
{
    value_put_bytes(out, text, strlen(text));
}

void value_put_decimal(struct value_text *out, uint64_t number, unsigned places, unsigned least)
{
    char digits[32];
    size_t at = sizeof digits;

    while (places > least && number % 10 == 0) {
        number /= 10;
        places--;
    }
    for (unsigned i = 0; i < places; i++, number /= 10)
        digits[--at] = (char)('0' + number % 10);
    if (places > 0)
        digits[--at] = '.';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    value_put_bytes(out, digits + at, sizeof digits - at);
}

void value_put_size(struct value_text *out, uint64_t bytes)
{
    static const char *const units[] = {"", "K", "M", "G"};
    unsigned unit = 0;

    while (bytes && bytes % 1024 == 0 && unit < 3) {
        bytes /= 1024;
        unit++;
    }
    value_put_decimal(out, bytes, 0, 0);
    value_put(out, units[unit]);
}

void value_put_duration(struct value_text *out, uint64_t ms)
{
    bool whole = ms % 1000 == 0;
    bool hours = ms >= 3600000 && ms % 3600000 == 0;
    value_put_decimal(out, hours ? ms / 3600000 : whole ? ms / 1000 : ms, 0, 0);
    value_put(out, hours ? "h" : whole ? "s" : "ms");
}

void value_put_hex(struct value_text *out, uint64_t number)
{
    char digits[16];
    for (int i = 15; i >= 0; i--, number >>= 4)
        digits[i] = "0123456789abcdef"[number & 15];
    value_put_bytes(out, digits, sizeof digits);
}

bool value_is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(word, text, length) == 0;
}

bool value_is_field(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

bool value_is_token(const char *text)
{
    if (!text[0])
        return false;
    for (; *text; text++) {
        char c = *text;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && !strchr("!#$%&'*+-.^_`|~", c))
            return false;
    }
    return true;
}
