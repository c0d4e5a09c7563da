#include "curl/held.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct held_value value_of(const char *start, const char *end)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    return (struct held_value){start, (size_t)(end - start)};
}

bool held_line(const char *line, size_t size, const char *name, struct held_value *value)
{
    size_t length = strlen(name);

    if (size <= length || line[length] != ':' || strncasecmp(line, name, length) != 0)
        return false;
    *value = value_of(line + length + 1, line + size);
    return true;
}

struct held_value held_field(const struct reply *reply, const char *name)
{
    struct held_value found = {NULL, 0};
    uint32_t size;

    for (size_t at = 0; at + sizeof size < reply->length; at += size) {
        memcpy(&size, reply->lines + at, sizeof size);
        at += sizeof size;
        const char *line = reply->lines + at;
        if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
            found.text = NULL; /* another block begins */
        else
            held_line(line, size, name, &found);
    }
    return found;
}

bool held_is(const struct held_value *value, const char *text, size_t length)
{
    return value->text && value->length == length && memcmp(value->text, text, length) == 0;
}

int64_t held_number(const struct held_value *value)
{
    int64_t number = 0;

    if (!value->text || !value->length || value->length > 15)
        return -1;
    for (size_t i = 0; i < value->length; i++) {
        if (value->text[i] < '0' || value->text[i] > '9')
            return -1;
        number = number * 10 + (value->text[i] - '0');
    }
    return number;
}
