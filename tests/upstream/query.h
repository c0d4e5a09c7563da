/* Reads a query string (`a=1&b=x%20y`) into a struct, by a table that names each key's kind and place.
 * A key that the table lacks, or a value of the wrong kind, is an error with a sentence. */
#ifndef QUERY_H
#define QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum query_kind {
    QUERY_NUMBER, /* uint64_t, low to high */
    QUERY_CHOICE, /* int: 1 for the first of `choices`, and so on */
    QUERY_TEXT,   /* const char *, any bytes but NUL */
    QUERY_LINE,   /* const char *, without control characters: fit for a header */
};

struct query_key {
    const char *name; /* NULL ends the table */
    enum query_kind kind;
    size_t offset; /* of the field in the struct */
    uint64_t low, high;
    const char *const *choices; /* NULL ends the list */
};

enum { QUERY_WHY = 320 }; /* room for a sentence */

/* Decodes `query` in place; the texts point into it and live as long as it does. Fields whose key is
 * absent keep their value. False, with why[] telling the reason, at the first mistake. */
bool query_parse(const struct query_key *keys, void *into, char *query, char why[QUERY_WHY]);

#endif
