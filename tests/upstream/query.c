#include "query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes %XX and + in place. False for a % without two digits, and for %00. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = (char)(*from == '+' ? ' ' : *from);
            continue;
        }
        int high = hex_digit(from[1]);
        int low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

static bool is_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

static bool take_number(const struct query_key *key, void *field, const char *value, char *why)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || number < key->low || number > key->high) {
        snprintf(why, QUERY_WHY, "%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%.40s\"",
                 key->name, key->low, key->high, value);
        return false;
    }
    *(uint64_t *)field = number;
    return true;
}

static bool take_choice(const struct query_key *key, void *field, const char *value, char *why)
{
    for (int i = 0; key->choices[i]; i++) {
        if (strcmp(value, key->choices[i]) == 0) {
            *(int *)field = i + 1;
            return true;
        }
    }
    int length = snprintf(why, QUERY_WHY, "%s wants ", key->name);
    for (int i = 0; key->choices[i]; i++)
        length +=
            snprintf(why + length, QUERY_WHY - (size_t)length, "%s%s", i ? " or " : "", key->choices[i]);
    snprintf(why + length, QUERY_WHY - (size_t)length, ", not \"%.40s\"", value);
    return false;
}

static bool take_line(const struct query_key *key, void *field, const char *value, char *why)
{
    if (!is_line(value)) {
        snprintf(why, QUERY_WHY, "%s goes into a header and cannot hold control characters", key->name);
        return false;
    }
    *(const char **)field = value;
    return true;
}

static bool take(const struct query_key *key, void *field, const char *value, char *why)
{
    switch (key->kind) {
    case QUERY_NUMBER:
        return take_number(key, field, value, why);
    case QUERY_CHOICE:
        return take_choice(key, field, value, why);
    case QUERY_LINE:
        return take_line(key, field, value, why);
    case QUERY_TEXT:
        *(const char **)field = value;
        return true;
    }
    return false;
}

static bool take_pair(const struct query_key *keys, void *into, char *pair, char *why)
{
    char *value = strchr(pair, '=');
    if (value)
        *value++ = '\0';
    if (!decode(pair) || (value && !decode(value))) {
        snprintf(why, QUERY_WHY, "bad %% escape at key \"%.60s\"", pair);
        return false;
    }
    for (const struct query_key *key = keys; key->name; key++) {
        if (strcmp(key->name, pair) != 0)
            continue;
        if (value)
            return take(key, (char *)into + key->offset, value, why);
        snprintf(why, QUERY_WHY, "%s wants a value: %s=...", pair, pair);
        return false;
    }
    snprintf(why, QUERY_WHY, "unknown key \"%.60s\"", pair);
    return false;
}

bool query_parse(const struct query_key *keys, void *into, char *query, char why[QUERY_WHY])
{
    char *rest = query;
    char *pair;
    while ((pair = strsep(&rest, "&")))
        if (*pair && !take_pair(keys, into, pair, why))
            return false;
    return true;
}
