#include "report/stamp.h"

#include <string.h>

const char *stamp_digits(char text[STAMP_DIGITS_MOST], uint64_t number, unsigned width)
{
    char *at = &text[STAMP_DIGITS_MOST - 1];
    *at = '\0';
    for (unsigned i = 0; i < width || number > 0; i++, number /= 10)
        *--at = (char)('0' + number % 10);
    return at;
}

struct moment {
    unsigned year, month, day, hour, minute, second, ms;
};

/* UTC. The days go by Howard Hinnant's civil_from_days: years that begin in March, 400 of them an era. */
static struct moment moment_of(uint64_t unix_ms)
{
    const uint64_t seconds = unix_ms / 1000;
    const uint64_t days = seconds / 86400 + 719468; /* since 0000-03-01 */
    const unsigned in_era = (unsigned)(days % 146097);
    const unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    const unsigned month = (5 * in_year + 2) / 153; /* from March */
    struct moment moment = {
        .year = year + (unsigned)(days / 146097) * 400 + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = in_year - (153 * month + 2) / 5 + 1,
        .hour = (unsigned)(seconds % 86400 / 3600),
        .minute = (unsigned)(seconds % 3600 / 60),
        .second = (unsigned)(seconds % 60),
        .ms = (unsigned)(unix_ms % 1000),
    };
    return moment;
}

/* Joins numbers, each of a width, with what follows each; a null ends the list. */
struct part {
    uint64_t number;
    unsigned width;
    const char *after;
};

static void join(char *to, const struct part *parts)
{
    char text[STAMP_DIGITS_MOST];
    for (; parts->after; parts++)
        to = stpcpy(stpcpy(to, stamp_digits(text, parts->number, parts->width)), parts->after);
}

void stamp_utc(char text[STAMP_UTC_MOST], uint64_t unix_ms)
{
    const struct moment m = moment_of(unix_ms);
    const struct part parts[] = {
        {m.year,   4, "-" },
        {m.month,  2, "-" },
        {m.day,    2, "T" },
        {m.hour,   2, ":" },
        {m.minute, 2, ":" },
        {m.second, 2, "." },
        {m.ms,     3, "Z" },
        {0,        0, NULL}
    };
    join(text, parts);
}

void stamp_syslog(char text[STAMP_SYSLOG_MOST], uint64_t unix_ms)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const struct moment m = moment_of(unix_ms);
    const struct part parts[] = {
        {m.day,    m.day < 10 ? 1 : 2, " " },
        {m.hour,   2,                  ":" },
        {m.minute, 2,                  ":" },
        {m.second, 2,                  ""  },
        {0,        0,                  NULL}
    };
    join(stpcpy(stpcpy(text, months[m.month - 1]), m.day < 10 ? "  " : " "), parts);
}
