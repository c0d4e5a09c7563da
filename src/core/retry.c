#include "core/retry.h"

/* Uniform in 0..most. */
static uint32_t up_to(uint64_t most, uint32_t random32)
{
    return (uint32_t)((most + 1) * random32 >> 32);
}

static uint32_t at_most(uint64_t value, uint32_t cap)
{
    return value < cap ? (uint32_t)value : cap;
}

/* min(cap, base * factor^steps), in microseconds on the way so that small factors are not rounded off. */
static uint32_t grown_ms(const struct retry_rule *rule, uint32_t steps)
{
    uint64_t cap_us = rule->cap_ms * UINT64_C(1000);
    uint64_t delay_us = rule->base_ms * UINT64_C(1000);

    for (uint32_t step = 0; step < steps && delay_us < cap_us; step++) {
        /* Below the cap both products fit: delay_us / 1000 and the factor have 32 bits each. */
        uint64_t next_us = delay_us / 1000 * rule->factor_milli + delay_us % 1000 * rule->factor_milli / 1000;
        if (next_us <= delay_us)
            break; /* a factor of one, or a base of none: it stays there */
        delay_us = next_us;
    }
    return at_most(delay_us / 1000, rule->cap_ms);
}

/* Brooker: min(cap, random between base and three times the sleep before). */
static uint32_t decorrelated_ms(const struct retry_rule *rule, uint32_t previous_ms, uint32_t random32)
{
    uint32_t before_ms = previous_ms > rule->base_ms ? previous_ms : rule->base_ms;
    uint32_t upper_ms = at_most(UINT64_C(3) * before_ms, UINT32_MAX);

    return at_most((uint64_t)rule->base_ms + up_to(upper_ms - rule->base_ms, random32), rule->cap_ms);
}

uint32_t retry_delay_ms(const struct retry_rule *rule, uint32_t next, uint32_t previous_ms, uint32_t random32)
{
    uint32_t delay_ms = grown_ms(rule, next > 2 ? next - 2 : 0);
    uint32_t more_ms = at_most((uint64_t)delay_ms * rule->amount_bp / 10000, UINT32_MAX);

    switch ((enum retry_jitter)rule->jitter) {
    case RETRY_JITTER_NONE:
        return delay_ms;
    case RETRY_JITTER_ADDITIVE:
        return at_most((uint64_t)delay_ms + up_to(more_ms, random32), rule->cap_ms);
    case RETRY_JITTER_EQUAL:
        return delay_ms / 2 + up_to(delay_ms - delay_ms / 2, random32);
    case RETRY_JITTER_FULL:
        return up_to(delay_ms, random32);
    case RETRY_JITTER_DECORRELATED:
        return decorrelated_ms(rule, previous_ms, random32);
    }
    return delay_ms;
}

uint32_t retry_attempts(const struct retry_rule *rule, unsigned times)
{
    uint32_t attempts = rule->attempts;

    for (; times && attempts > 1; times--)
        attempts = (attempts + 1) / 2;
    return attempts;
}

bool retry_wants(const struct retry_rule *rule, const struct outcome *outcome)
{
    /* Who said stop must not have to say it again. */
    return outcome->type != OUTCOME_ABORTED && outcome_set_has(&rule->on, outcome) &&
           !outcome_set_has(&rule->never, outcome);
}

bool retry_budget_allows(const struct retry_rule *rule, struct window_sum window)
{
    uint64_t retries = (uint64_t)window.marked + 1;
    uint64_t least = (uint64_t)rule->budget_floor * (RETRY_BUDGET_WINDOW_MS / 1000);

    return retries <= least || retries * 10000 <= (uint64_t)window.all * rule->budget_ratio_bp;
}

/* What is still to be read of a Retry-After value. */
struct cursor {
    const char *text;
    size_t length;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip(struct cursor *cursor, size_t bytes)
{
    cursor->text += bytes;
    cursor->length -= bytes;
}

static bool take(struct cursor *cursor, const char *word, size_t length)
{
    if (cursor->length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (cursor->text[i] != word[i])
            return false;
    skip(cursor, length);
    return true;
}

/* Exactly so many digits. */
static bool take_number(struct cursor *cursor, size_t digits, int *number)
{
    if (cursor->length < digits)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(cursor->text[i]))
            return false;
        *number = *number * 10 + (cursor->text[i] - '0');
    }
    skip(cursor, digits);
    return true;
}

struct date {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_sound(const struct date *date)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int last = days[date->month - 1] + (date->month == 2 && is_leap(date->year));

    return date->day >= 1 && date->day <= last && date->hour <= 23 && date->minute <= 59 &&
           date->second <= 60; /* a leap second */
}

/* Seconds since 1970; the days by Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
static int64_t unix_of(const struct date *date)
{
    int64_t year = date->year + 400 - (date->month <= 2); /* counted from March, never negative */
    int64_t day_of_year = (153 * ((date->month + 9) % 12) + 2) / 5 + date->day - 1;
    int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 146097 - 719468;

    return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}

/* RFC 9110, 5.6.7: a year of two digits is the latest that is no more than fifty years ahead. */
static void complete_year(struct date *date, int64_t now_unix)
{
    static const int64_t fifty_years = INT64_C(50) * 31556952;
    struct date later = *date;

    date->year += 1900;
    for (later.year = date->year + 100; later.year < 10000; later.year += 100) {
        if (unix_of(&later) > now_unix + fifty_years)
            break;
        date->year = later.year;
    }
}

static bool take_month(struct cursor *cursor, int *month)
{
    static const char names[12][3] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    for (int i = 0; i < 12; i++) {
        if (take(cursor, names[i], 3)) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* "08:49:37" */
static bool take_time(struct cursor *cursor, struct date *date)
{
    return take_number(cursor, 2, &date->hour) && take(cursor, ":", 1) &&
           take_number(cursor, 2, &date->minute) && take(cursor, ":", 1) &&
           take_number(cursor, 2, &date->second);
}

/* "Sun" or "Sunday"; a wrong weekday is nobody's loss. */
static bool take_weekday(struct cursor *cursor)
{
    static const char names[7][10] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                      "Friday", "Saturday", "Sunday"};
    static const uint8_t lengths[7] = {6, 7, 9, 8, 6, 8, 6};

    for (int i = 0; i < 7; i++)
        if (take(cursor, names[i], lengths[i]) || take(cursor, names[i], 3))
            return true;
    return false;
}

/* "06 Nov 1994 08:49:37 GMT" or "06-Nov-94 08:49:37 GMT" */
static bool take_gmt_date(struct cursor *cursor, struct date *date, int64_t now_unix)
{
    if (!take_number(cursor, 2, &date->day))
        return false;
    bool dashed = take(cursor, "-", 1);
    const char *mark = dashed ? "-" : " ";
    if (!dashed && !take(cursor, mark, 1))
        return false;
    if (!take_month(cursor, &date->month) || !take(cursor, mark, 1))
        return false;
    if (!take_number(cursor, dashed ? 2 : 4, &date->year) || !take(cursor, " ", 1))
        return false;
    if (!take_time(cursor, date) || !take(cursor, " GMT", 4))
        return false;
    if (dashed)
        complete_year(date, now_unix);
    return true;
}

/* "Nov  6 08:49:37 1994" */
static bool take_asctime_date(struct cursor *cursor, struct date *date)
{
    if (!take_month(cursor, &date->month) || !take(cursor, " ", 1))
        return false;
    if (!take_number(cursor, take(cursor, " ", 1) ? 1 : 2, &date->day))
        return false;
    return take(cursor, " ", 1) && take_time(cursor, date) && take(cursor, " ", 1) &&
           take_number(cursor, 4, &date->year);
}

static bool take_date(struct cursor *cursor, int64_t now_unix, int64_t *when_unix)
{
    struct date date = {0};

    if (!take_weekday(cursor))
        return false;
    bool read = take(cursor, ", ", 2) ? take_gmt_date(cursor, &date, now_unix)
                                      : take(cursor, " ", 1) && take_asctime_date(cursor, &date);
    if (!read || cursor->length > 0 || !is_sound(&date))
        return false;
    *when_unix = unix_of(&date);
    return true;
}

/* Seconds, 1*DIGIT and nothing else; what is longer than a day is as good as a day. */
static bool take_seconds(struct cursor *cursor, int64_t most, int64_t *seconds)
{
    *seconds = 0;
    for (size_t i = 0; i < cursor->length; i++) {
        if (!is_digit(cursor->text[i]))
            return false;
        *seconds = *seconds * 10 + (cursor->text[i] - '0');
        if (*seconds > most)
            *seconds = most;
    }
    return cursor->length > 0;
}

int64_t retry_after_ms(const char *text, size_t length, int64_t now_unix)
{
    static const int64_t day = 86400, year_10000 = INT64_C(253402300800);
    struct cursor cursor = {text, length};
    int64_t seconds = 0;

    while (cursor.length > 0 && is_blank(cursor.text[0]))
        skip(&cursor, 1);
    while (cursor.length > 0 && is_blank(cursor.text[cursor.length - 1]))
        cursor.length--;
    if (!take_seconds(&cursor, day, &seconds)) {
        int64_t when_unix;
        if (now_unix < 0 || now_unix > year_10000)
            now_unix = now_unix < 0 ? 0 : year_10000;
        if (!take_date(&cursor, now_unix, &when_unix))
            return -1;
        seconds = when_unix - now_unix;
    }
    if (seconds < 0)
        return 0;
    return (seconds < day ? seconds : day) * 1000;
}

/* Obsolete dates have years of two digits, which are the nearest ones to some now. */
bool retry_date(const char *text, size_t length, int64_t *unix_s)
{
    static const int64_t now_unix = INT64_C(1800000000);
    struct cursor cursor = {text, length};

    return take_date(&cursor, now_unix, unix_s);
}
