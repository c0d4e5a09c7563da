/* Values as users write them: durations, decimals and lists, to numbers and back. Without locale, stdio or
 * memory. */
#ifndef GUSSET_CONFIG_VALUE_H
#define GUSSET_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "250ms", "2s", "1.5m", "1h" to milliseconds, rounded up so that nothing becomes 0. False when it is none.
 */
bool value_duration(const char *text, size_t length, uint64_t *ms);

/*
 * "12.5" times 10^places, digits behind that are refused unless zero. No sign, no exponent. False when it is
 * none or passes 2^40.
 */
bool value_decimal(const char *text, size_t length, unsigned places, uint64_t *number);

/* "512", "10K", "1.5M", "1G": bytes, by 1024. False when it is none. */
bool value_size(const char *text, size_t length, uint64_t *bytes);

struct value_word {
    const char *text;
    size_t length;
};

/* The next word of a list with commas, blanks around it taken off; *at moves on. An empty word is skipped. */
bool value_next(const char *text, size_t length, size_t *at, struct value_word *word);

/* Whether the text is this word, no more and no less. */
bool value_is(const char *text, size_t length, const char *word);

/* Whether the text is a token, as the name of a header is (RFC 9110, 5.6.2). */
bool value_is_token(const char *text);

/*
 * Whether the text may be a header's value (RFC 9110, 5.5): neither a control character but the tab, nor DEL,
 * stands in it.
 */
bool value_is_field(const char *text);

/* A text that is being written; what does not fit is cut. text is NUL-terminated after each call. */
struct value_text {
    char *text;
    size_t size; /* >= 1 */
    size_t length;
};

void value_put(struct value_text *out, const char *text);
void value_put_bytes(struct value_text *out, const char *bytes, size_t length);
void value_put_size(struct value_text *out, uint64_t bytes);
void value_put_duration(struct value_text *out, uint64_t ms);

/* number / 10^places, with at least `least` digits behind the point. */
void value_put_decimal(struct value_text *out, uint64_t number, unsigned places, unsigned least);

void value_put_hex(struct value_text *out, uint64_t number); /* 16 digits */

#endif
