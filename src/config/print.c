#include "config/print.h"

#include <string.h>

#include "config/value.h"
#include "core/method.h"
#include "core/timestamp.h"

static void print_number(const struct settings_entry *entry, struct value_text *out, uint32_t number)
{
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_DURATION:
    case SETTINGS_DELAY:
        value_put_duration(out, number);
        return;
    case SETTINGS_DECIMAL:
        value_put_decimal(out, number, 3, 1);
        return;
    case SETTINGS_PERCENT:
        value_put_decimal(out, number, 2, 0);
        return;
    case SETTINGS_SIZE:
        value_put_size(out, number);
        return;
    case SETTINGS_BOOL:
        value_put(out, number ? "true" : "false");
        return;
    case SETTINGS_COUNT:
    case SETTINGS_CHOICE:
    case SETTINGS_OUTCOMES:
    case SETTINGS_METHODS:
    case SETTINGS_PROPAGATE:
    case SETTINGS_TEXT:
    case SETTINGS_ERROR:
    case SETTINGS_MOMENT:
        value_put_decimal(out, number - entry->surplus, 0, 0);
        return;
    }
}

static void put_item(struct value_text *out, const char *item)
{
    if (out->length > 0)
        value_put(out, ", ");
    value_put(out, item);
}

static void print_choices(const struct settings_choice *choice, struct value_text *out)
{
    for (; choice->name; choice++)
        put_item(out, choice->name);
}

size_t print_expected(const struct settings_entry *entry, char *text, size_t size)
{
    static const char *const wanted[] = {
        [SETTINGS_DURATION] = "a duration with a unit such as \"5s\"",
        [SETTINGS_COUNT] = "a whole number",
        [SETTINGS_DECIMAL] = "a decimal number",
        [SETTINGS_PERCENT] = "a percentage",
        [SETTINGS_BOOL] = "true or false",
        [SETTINGS_CHOICE] = "one of ",
        [SETTINGS_OUTCOMES] =
            "a list of error types, CURLE_ names, statuses from 400 (\"503\") or classes (\"5xx\")",
        [SETTINGS_METHODS] = "a list of HTTP methods in capitals",
        [SETTINGS_PROPAGATE] = "a list of ",
        [SETTINGS_TEXT] = "a string",
        [SETTINGS_ERROR] = "a status from 400 to 599 or one of ",
        [SETTINGS_SIZE] = "a size such as \"10M\"",
        [SETTINGS_MOMENT] = "a time such as \"2026-12-01T00:00:00Z\"",
        [SETTINGS_DELAY] = "a duration from 1ms with a unit such as \"200ms\", or one of ",
    };
    struct value_text list = {text, size, 0};
    if (entry->choices) { /* the lead comes last, so that put_item sees an empty list at first */
        const char *lead = wanted[entry->kind];
        size_t offset = strlen(lead) < size ? strlen(lead) : 0;
        struct value_text names = {text + offset, size - offset, 0};
        print_choices(entry->choices, &names);
        memcpy(text, lead, offset);
        return offset + names.length;
    }
    value_put(&list, wanted[entry->kind]);
    if (entry->kind > SETTINGS_PERCENT && entry->kind != SETTINGS_SIZE)
        return list.length;
    if (entry->most == entry->least) {
        value_put(&list, ": ");
    } else {
        bool has_unit = entry->kind == SETTINGS_DURATION || entry->kind == SETTINGS_SIZE;
        value_put(&list, has_unit ? ", from " : " from ");
        print_number(entry, &list, entry->least);
        value_put(&list, " to ");
    }
    print_number(entry, &list, entry->most);
    return list.length;
}

static bool holds_class(const struct outcome_set *set, int first)
{
    for (int status = first; status < first + 100; status++) {
        int bit = status - OUTCOME_STATUS_FIRST;
        if (!(set->statuses[bit / 32] >> (bit % 32) & 1))
            return false;
    }
    return true;
}

static void print_outcomes(const struct outcome_set *set, struct value_text *out)
{
    for (int type = 0; type < OUTCOME_TYPES; type++)
        if (set->types >> type & 1)
            put_item(out, outcome_type_name((enum outcome_type)type));
    for (int code = 0; code < OUTCOME_CURL_CODES; code++)
        if (set->curl[code / 32] >> (code % 32) & 1 && outcome_curl_name(code))
            put_item(out, outcome_curl_name(code));
    for (int first = OUTCOME_STATUS_FIRST; first <= OUTCOME_STATUS_LAST; first += 100) {
        char name[4] = {(char)('0' + first / 100), 'x', 'x', 0};
        if (holds_class(set, first)) {
            put_item(out, name);
            continue;
        }
        for (int status = first; status < first + 100; status++) {
            int bit = status - OUTCOME_STATUS_FIRST;
            if (!(set->statuses[bit / 32] >> (bit % 32) & 1))
                continue;
            name[1] = (char)('0' + status / 10 % 10);
            name[2] = (char)('0' + status % 10);
            put_item(out, name);
        }
    }
}

static void print_methods(uint32_t methods, struct value_text *out)
{
    for (int bit = 0; bit <= METHOD_COUNT; bit++)
        if (methods >> bit & 1)
            put_item(out, method_name(1u << bit));
}

static void print_bits(const struct settings_choice *choice, uint32_t bits, struct value_text *out)
{
    for (; choice->name; choice++)
        if (bits & choice->value)
            put_item(out, choice->name);
}

static void print_moment(uint32_t unix_s, struct value_text *out)
{
    char text[TIMESTAMP_ROOM];

    if (!unix_s)
        return;
    timestamp_write(unix_s, text);
    value_put(out, text);
}

static void print_choice(const struct settings_choice *choice, uint32_t value, struct value_text *out)
{
    for (; choice->name; choice++)
        if (choice->value == value)
            value_put(out, choice->name);
}

size_t print_field(const struct settings_entry *entry, const void *base, const char *pool, char *text,
                   size_t size)
{
    struct value_text out = {text, size, 0};
    const void *field = (const char *)base + entry->offset;
    uint32_t number;
    memcpy(&number, field, sizeof number);

    text[0] = 0;
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_CHOICE:
        print_choice(entry->choices, number, &out);
        break;
    case SETTINGS_OUTCOMES:
        print_outcomes(field, &out);
        break;
    case SETTINGS_METHODS:
        print_methods(number, &out);
        break;
    case SETTINGS_PROPAGATE:
        print_bits(entry->choices, number, &out);
        break;
    case SETTINGS_TEXT:
        value_put(&out, pool + number);
        break;
    case SETTINGS_ERROR:
        if (number < REHEARSAL_STATUS)
            print_choice(entry->choices, number, &out);
        else
            value_put_decimal(&out, number, 0, 0);
        break;
    case SETTINGS_MOMENT:
        print_moment(number, &out);
        break;
    case SETTINGS_DELAY:
        if (number > entry->most)
            print_choice(entry->choices, number, &out);
        else
            print_number(entry, &out, number);
        break;
    case SETTINGS_DURATION:
    case SETTINGS_COUNT:
    case SETTINGS_DECIMAL:
    case SETTINGS_PERCENT:
    case SETTINGS_SIZE:
    case SETTINGS_BOOL:
        print_number(entry, &out, number);
        break;
    }
    return out.length;
}
