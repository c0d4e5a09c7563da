#include "config/field.h"

#include <string.h>

#include "config/value.h"
#include "core/method.h"
#include "core/timestamp.h"

static uint32_t *number_at(const struct settings_entry *entry, void *base)
{
    return (uint32_t *)(void *)((char *)base + entry->offset);
}

static bool parse_choice(const struct settings_choice *choice, const char *text, size_t length,
                         uint32_t *value)
{
    for (; choice->name; choice++)
        if (value_is(text, length, choice->name)) {
            *value = choice->value;
            return true;
        }
    return false;
}

static bool parse_outcomes(struct outcome_set *set, const char *text, size_t length)
{
    struct outcome_set whole = {0};
    struct value_word word;
    for (size_t at = 0; value_next(text, length, &at, &word);)
        if (!outcome_set_add(&whole, word.text, word.length))
            return false;
    *set = whole;
    return true;
}

/* Method names are case-sensitive, and one that no table knows is more often a slip than a wish. */
static bool parse_methods(uint32_t *methods, const char *text, size_t length)
{
    uint32_t whole = 0;
    struct value_word word;
    for (size_t at = 0; value_next(text, length, &at, &word);) {
        uint32_t one = method_from_name(word.text, word.length);
        if (one == METHOD_OTHER && !value_is(word.text, word.length, method_name(METHOD_OTHER)))
            return false;
        whole |= one;
    }
    *methods = whole;
    return true;
}

static bool parse_bits(const struct settings_choice *choices, uint32_t *bits, const char *text, size_t length)
{
    uint32_t whole = 0;
    struct value_word word;
    for (size_t at = 0; value_next(text, length, &at, &word);) {
        uint32_t one;
        if (!parse_choice(choices, word.text, word.length, &one))
            return false;
        whole |= one;
    }
    *bits = whole;
    return true;
}

static bool parse_error(const struct settings_choice *choices, uint32_t *error, const char *text,
                        size_t length)
{
    uint64_t status;

    if (parse_choice(choices, text, length, error))
        return true;
    if (!value_decimal(text, length, 0, &status) || status < REHEARSAL_STATUS || status > REHEARSAL_LAST)
        return false;
    *error = (uint32_t)status;
    return true;
}

static bool parse_moment(uint32_t *unix_s, const char *text, size_t length)
{
    if (length > 0)
        return timestamp_read(text, length, unix_s);
    *unix_s = 0;
    return true;
}

static bool parse_number(const struct settings_entry *entry, const char *text, size_t length,
                         uint64_t *number)
{
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_DURATION:
    case SETTINGS_DELAY:
        return value_duration(text, length, number);
    case SETTINGS_COUNT:
        return value_decimal(text, length, 0, number);
    case SETTINGS_DECIMAL:
        return value_decimal(text, length, 3, number);
    case SETTINGS_PERCENT:
        return value_decimal(text, length, 2, number);
    case SETTINGS_SIZE:
        return value_size(text, length, number);
    case SETTINGS_BOOL:
        *number = value_is(text, length, "true");
        return *number || value_is(text, length, "false");
    case SETTINGS_CHOICE:
    case SETTINGS_OUTCOMES:
    case SETTINGS_METHODS:
    case SETTINGS_PROPAGATE:
    case SETTINGS_TEXT:
    case SETTINGS_ERROR:
    case SETTINGS_MOMENT:
        break;
    }
    return false;
}

bool field_parse(const struct settings_entry *entry, void *base, const char *text, size_t length)
{
    uint64_t number;
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_CHOICE:
        return parse_choice(entry->choices, text, length, number_at(entry, base));
    case SETTINGS_OUTCOMES:
        return parse_outcomes((struct outcome_set *)(void *)((char *)base + entry->offset), text, length);
    case SETTINGS_METHODS:
        return parse_methods(number_at(entry, base), text, length);
    case SETTINGS_PROPAGATE:
        return parse_bits(entry->choices, number_at(entry, base), text, length);
    case SETTINGS_ERROR:
        return parse_error(entry->choices, number_at(entry, base), text, length);
    case SETTINGS_MOMENT:
        return parse_moment(number_at(entry, base), text, length);
    case SETTINGS_TEXT:
        return false;
    case SETTINGS_DELAY:
        if (parse_choice(entry->choices, text, length, number_at(entry, base)))
            return true;
        break;
    case SETTINGS_DURATION:
    case SETTINGS_COUNT:
    case SETTINGS_DECIMAL:
    case SETTINGS_PERCENT:
    case SETTINGS_SIZE:
    case SETTINGS_BOOL:
        break;
    }
    if (!parse_number(entry, text, length, &number) || number > UINT32_MAX - entry->surplus)
        return false;
    number += entry->surplus;
    if (number < entry->least || number > entry->most)
        return false;
    *number_at(entry, base) = (uint32_t)number;
    return true;
}

void field_reset(const struct settings_entry *entry, void *base)
{
    field_parse(entry, base, entry->initial, strlen(entry->initial));
}

void field_copy(const struct settings_entry *entry, void *to, const void *from)
{
    size_t size = entry->kind == SETTINGS_OUTCOMES ? sizeof(struct outcome_set) : sizeof(uint32_t);
    memcpy((char *)to + entry->offset, (const char *)from + entry->offset, size);
}
