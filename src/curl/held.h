/* The header lines of a reply that is watched, read once more. */
#ifndef GUSSET_CURL_HELD_H
#define GUSSET_CURL_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "curl/reply.h"

struct held_value {
    const char *text; /* not NUL-terminated, without blanks around it; NULL: there is no such field */
    size_t length;
};

/* Whether a line is a field of that name; value: what it says. */
bool held_line(const char *line, size_t size, const char *name, struct held_value *value);

/* The last field of that name in the final block. name is compared without case. */
struct held_value held_field(const struct reply *reply, const char *name);

bool held_is(const struct held_value *value, const char *text, size_t length);

/* A whole number; -1: none. */
int64_t held_number(const struct held_value *value);

#endif
