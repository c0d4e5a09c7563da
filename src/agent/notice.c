#include "agent/notice.h"

#include <inttypes.h>
#include <string.h>

#define FIRST "gusset 1"

enum { FIELDS = 6, LINE = 320 };

static bool is_word(const char *text)
{
    while (*text > ' ' && *text < 0x7f)
        text++;
    return !*text;
}

bool notice_can_say(const char *host, const char *policy)
{
    return *host && is_word(host) && is_word(policy) && strcmp(policy, "-") != 0;
}

void notice_begin(FILE *to, uint64_t memory)
{
    if (memory)
        fprintf(to, FIRST " %016" PRIx64 "\n", memory);
    else
        fputs(FIRST "\n", to);
}

void notice_write(FILE *to, const struct notice *notice)
{
    fprintf(to, "%s %s %016" PRIx64 " %" PRIu32 " %s %s\n", notice->is_open ? "open" : "closed",
            notice->is_by_hand ? "hand" : "failures", notice->opening, notice->left_ms, notice->host,
            notice->policy[0] ? notice->policy : "-");
}

/* Digits of the base (10, 16 in small letters), nothing else; false when there are more than most. */
static bool read_number(const char *text, unsigned base, size_t most, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";

    *number = 0;
    if (!*text || strlen(text) > most)
        return false;
    for (; *text; text++) {
        const char *digit = memchr(digits, *text, base);
        if (!digit)
            return false;
        *number = *number * base + (uint64_t)(digit - digits);
    }
    return true;
}

bool notice_begins(const char **at, const char *end, uint64_t *memory)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at)), *rest;
    size_t length = newline ? (size_t)(newline - *at) : 0, own = strlen(FIRST);
    char line[sizeof FIRST + 17];

    *memory = 0;
    if (length < own || length >= sizeof line)
        return false;
    memcpy(line, *at, length);
    line[length] = '\0';
    rest = line + own;
    if (memcmp(line, FIRST, own) != 0 || strlen(line) < length ||
        (*rest && (*rest != ' ' || !read_number(rest + 1, 16, 16, memory))))
        return false;
    *at = newline + 1;
    return true;
}

/* One of two words; *is_first says which. */
static bool read_choice(const char *text, const char *first, const char *second, bool *is_first)
{
    *is_first = strcmp(text, first) == 0;
    return *is_first || strcmp(text, second) == 0;
}

/* Parts the line, in place, at single blanks. */
static bool split(char *line, char *fields[FIELDS])
{
    unsigned count = 0;

    for (char *field = line; field && count < FIELDS; count++) {
        char *blank = strchr(field, ' ');
        if (blank)
            *blank++ = '\0';
        fields[count] = field;
        if (!*field || !is_word(field) || (count == FIELDS - 1 && blank))
            return false;
        field = blank;
    }
    return count == FIELDS;
}

static bool read_line(char *line, struct notice *notice)
{
    char *fields[FIELDS];
    uint64_t left_ms;

    *notice = (struct notice){.is_open = false};
    if (!split(line, fields) || !read_choice(fields[0], "open", "closed", &notice->is_open) ||
        !read_choice(fields[1], "hand", "failures", &notice->is_by_hand) ||
        !read_number(fields[2], 16, 16, &notice->opening) || !read_number(fields[3], 10, 10, &left_ms) ||
        left_ms > UINT32_MAX || strlen(fields[4]) >= sizeof notice->host ||
        strlen(fields[5]) >= sizeof notice->policy)
        return false;
    notice->left_ms = (uint32_t)left_ms;
    strcpy(notice->host, fields[4]);
    if (strcmp(fields[5], "-") != 0)
        strcpy(notice->policy, fields[5]);
    return true;
}

bool notice_next(const char **at, const char *end, struct notice *notice)
{
    char line[LINE];

    while (*at < end) {
        const char *begin = *at, *newline = memchr(begin, '\n', (size_t)(end - begin));
        if (!newline)
            break; /* cut */
        size_t length = (size_t)(newline - begin);
        *at = newline + 1;
        if (length >= sizeof line || memchr(begin, '\0', length))
            continue;
        memcpy(line, begin, length);
        line[length] = '\0';
        if (read_line(line, notice))
            return true;
    }
    *at = end;
    return false;
}
