#include "core/timestamp.h"

enum { DAY_S = 86400, LENGTH = 19 /* up to the seconds */ };

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_month(int64_t year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970 before a year. */
static int64_t days_before(int64_t year)
{
    int64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* As the pattern says: 'd' stands for a digit. */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == 'd' ? !is_digit(*text) : *text != *pattern)
            return false;
    return true;
}

static unsigned number(const char *text, unsigned digits)
{
    unsigned value = 0;
    while (digits-- > 0)
        value = value * 10 + (unsigned)(*text++ - '0');
    return value;
}

/* "Z" or "+hh:mm", all of it. */
static bool read_offset(const char *text, size_t length, int64_t *offset_s)
{
    *offset_s = 0;
    if (length == 1 && (text[0] == 'Z' || text[0] == 'z'))
        return true;
    if (length != 6 || (text[0] != '+' && text[0] != '-') || !looks_like(text + 1, "dd:dd"))
        return false;
    unsigned hours = number(text + 1, 2), minutes = number(text + 4, 2);
    *offset_s = (int64_t)(hours * 60 + minutes) * (text[0] == '-' ? -60 : 60);
    return hours < 24 && minutes < 60;
}

bool timestamp_read(const char *text, size_t length, uint32_t *unix_s)
{
    size_t at = LENGTH;
    int64_t offset_s;

    if (length <= LENGTH || !looks_like(text, "dddd-dd-dd") || (text[10] != 'T' && text[10] != 't') ||
        !looks_like(text + 11, "dd:dd:dd"))
        return false;
    unsigned year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
    unsigned hour = number(text + 11, 2), minute = number(text + 14, 2), second = number(text + 17, 2);
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    if (text[at] == '.')
        for (at++; at < length && is_digit(text[at]);)
            at++;
    if (!read_offset(text + at, length - at, &offset_s))
        return false;
    int64_t days = days_before(year) + day - 1;
    for (unsigned m = 1; m < month; m++)
        days += days_of_month(year, m);
    int64_t seconds = days * DAY_S + (int64_t)(hour * 60 + minute) * 60 + second - offset_s;
    *unix_s = (uint32_t)seconds;
    return seconds >= 0 && seconds <= UINT32_MAX;
}

static void put(char *text, unsigned digits, uint64_t value)
{
    while (digits-- > 0) {
        text[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

void timestamp_write(uint32_t unix_s, char text[TIMESTAMP_ROOM])
{
    int64_t days = unix_s / DAY_S, year = 1970 + days / 366;
    uint32_t rest = unix_s % DAY_S;
    unsigned month = 1;

    while (days_before(year + 1) <= days)
        year++;
    days -= days_before(year);
    while (days >= days_of_month(year, month))
        days -= days_of_month(year, month++);
    static const char pattern[TIMESTAMP_ROOM] = "0000-00-00T00:00:00Z";
    for (unsigned i = 0; i < TIMESTAMP_ROOM; i++)
        text[i] = pattern[i];
    put(text, 4, (uint64_t)year);
    put(text + 5, 2, month);
    put(text + 8, 2, (uint64_t)days + 1);
    put(text + 11, 2, rest / 3600);
    put(text + 14, 2, rest / 60 % 60);
    put(text + 17, 2, rest % 60);
}
