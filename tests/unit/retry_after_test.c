/* core/retry reads Retry-After itself. gmtime_r and strftime of libc are the witnesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/retry.h"

enum { EXAMPLE = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */

static const int64_t day_ms = 86400000;

static int64_t after(const char *text, int64_t now_unix)
{
    return retry_after_ms(text, strlen(text), now_unix);
}

static void retry_after_reads_seconds(void **state)
{
    (void)state;

    assert_int_equal(after("120", EXAMPLE), 120000);
    assert_int_equal(after("0", EXAMPLE), 0);
    assert_int_equal(after(" \t007 ", EXAMPLE), 7000);
}

static void retry_after_ends_at_a_day(void **state)
{
    (void)state;
    char digits[4096];

    memset(digits, '9', sizeof digits);
    assert_int_equal(after("86399", EXAMPLE), day_ms - 1000);
    assert_int_equal(after("86400", EXAMPLE), day_ms);
    assert_int_equal(after("86401", EXAMPLE), day_ms);
    assert_int_equal(after("18446744073709551616", EXAMPLE), day_ms);
    assert_int_equal(retry_after_ms(digits, sizeof digits, EXAMPLE), day_ms);
    assert_int_equal(after("Fri, 31 Dec 9999 23:59:59 GMT", EXAMPLE), day_ms);
}

static void retry_after_reads_all_three_forms_of_a_date(void **state)
{
    (void)state;

    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE - 90), 90000);
    assert_int_equal(after("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE - 90), 90000);
    assert_int_equal(after("Sun Nov  6 08:49:37 1994", EXAMPLE - 90), 90000);
    assert_int_equal(after("Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86400 - 90), 90000);
}

static void retry_after_a_date_that_has_passed_is_now(void **state)
{
    (void)state;

    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE), 0);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", INT64_MAX), 0);
    assert_int_equal(after("Thu, 01 Jan 1970 00:00:00 GMT", INT64_MIN), 0);
    assert_int_equal(after("Wed, 01 Jan 0050 00:00:00 GMT", EXAMPLE),
                     0); /* four digits are a year as it is */
}

/* Now is 2026-11-21: "76" before that day is 2076, 50 years off or less; the day after, it is 1976. */
static void retry_after_completes_a_short_year_by_the_fifty_year_rule(void **state)
{
    (void)state;
    const int64_t now_unix = 1795219200;

    assert_int_equal(after("Sunday, 01-Nov-76 00:00:00 GMT", now_unix), day_ms);
    assert_int_equal(after("Tuesday, 01-Dec-76 00:00:00 GMT", now_unix), 0);
    assert_int_equal(after("Saturday, 21-Nov-26 00:01:00 GMT", now_unix), 60000);
    assert_int_equal(after("Friday, 20-Nov-26 00:01:00 GMT", now_unix), 0);
    assert_int_equal(after("Friday, 01-Jan-99 00:00:00 GMT", now_unix), 0);
    assert_int_equal(after("Saturday, 01-Jan-00 00:00:30 GMT", 4102444800), 30000);  /* on the eve of 2100 */
    assert_int_equal(after("Saturday, 01-Jan-05 00:00:00 GMT", 3913056000), day_ms); /* in 2094, 05 is 2105 */
}

static void retry_after_knows_the_lengths_of_months(void **state)
{
    (void)state;

    assert_int_equal(after("Tue, 29 Feb 2000 00:00:10 GMT", 951782400), 10000);
    assert_int_equal(after("Mon, 29 Feb 1999 00:00:00 GMT", 0), -1);
    assert_int_equal(after("Mon, 29 Feb 2100 00:00:00 GMT", 0), -1);
    assert_int_equal(after("Mon, 31 Apr 2000 00:00:00 GMT", 0), -1);
    assert_int_equal(after("Mon, 31 Jan 2000 00:00:00 GMT", 0), day_ms);
    assert_int_equal(after("Sun, 06 Nov 1994 23:59:60 GMT", EXAMPLE), 54623000); /* a leap second */
}

static void retry_after_takes_nothing_else(void **state)
{
    (void)state;
    static const char *const garbage[] = {"",
                                          " ",
                                          "-1",
                                          "+1",
                                          "1.5",
                                          "1 2",
                                          "12s",
                                          "soon",
                                          "0x10",
                                          "1e3",
                                          "Sun",
                                          "Sun,",
                                          "Sun, ",
                                          "Sun, 06 Nov 1994 08:49:37",
                                          "Sun, 06 Nov 1994 08:49:37 UTC",
                                          "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                          "Sun, 06 Nov 1994 24:00:00 GMT",
                                          "Sun, 06 Nov 1994 08:60:00 GMT",
                                          "Sun, 06 Nov 1994 08:49:61 GMT",
                                          "Sun, 00 Nov 1994 08:49:37 GMT",
                                          "Sun, 6 Nov 1994 08:49:37 GMT",
                                          "Sun, 06 nov 1994 08:49:37 GMT",
                                          "Sun, 06 Foo 1994 08:49:37 GMT",
                                          "Sun, 06-Nov-1994 08:49:37 GMT",
                                          "Sun, 06 Nov-94 08:49:37 GMT",
                                          "Sun, 06 Nov 94 08:49:37 GMT",
                                          "Xyz, 06 Nov 1994 08:49:37 GMT",
                                          "Sunda, 06 Nov 1994 08:49:37 GMT",
                                          "Sun Nov 6 08:49:37 1994",
                                          "Sun Nov   6 08:49:37 1994",
                                          "Sun Nov  6 08:49:37 94",
                                          "Sun, 06 Nov 1994 08.49.37 GMT",
                                          "Sun, 06 Nov 19940 08:49:37 GMT",
                                          "\xff\xff"};

    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        if (after(garbage[i], 0) != -1)
            fail_msg("\"%s\" is taken for %lld ms", garbage[i], (long long)after(garbage[i], 0));
    assert_int_equal(retry_after_ms("1\0002", 3, 0), -1);
}

/* Every byte of a date counts: none may be missing at the end, none may be another. */
static void retry_after_takes_no_damaged_date(void **state)
{
    (void)state;
    static const char *const dates[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994", "Wed Nov 16 08:49:37 1994"};

    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        for (size_t at = 0; at < strlen(dates[i]); at++) {
            char text[40] = {0};
            memcpy(text, dates[i], strlen(dates[i]));
            assert_int_equal(retry_after_ms(text, at, 0), -1);
            text[at] = 'x';
            assert_int_equal(after(text, 0), -1);
        }
    }
}

static void retry_after_reads_what_strftime_writes(void **state)
{
    (void)state;
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    uint64_t random = 1;

    for (int i = 0; i < 100000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        time_t when = (time_t)(random >> 31); /* to the year 2242 */
        struct tm tm;
        char text[64];
        size_t length = strftime(text, sizeof text, forms[i % 3], gmtime_r(&when, &tm));
        assert_int_equal(retry_after_ms(text, length, when - 77), 77000);
        assert_int_equal(retry_after_ms(text, length, when + 1), 0);
    }
}

/* Good values with a byte changed, or cut short: never a step past the end, never a value out of range. */
static void retry_after_survives_damaged_values(void **state)
{
    (void)state;
    static const char *const good[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994", "1234567890"};
    static const char bytes[] = "0123456789 ,:-GMTSunNovab\t\xff";
    unsigned random = 1;

    for (int i = 0; i < 200000; i++) {
        size_t length = strlen(good[i % 4]);
        char *text = malloc(length + 1); /* text + 1 ends where the memory ends */
        assert_non_null(text);
        memmove(text + 1, good[i % 4], length);
        random = random * 1664525u + 1013904223u;
        text[1 + (random >> 8) % length] = bytes[(random >> 20) % (sizeof bytes - 1)];
        int64_t whole = retry_after_ms(text + 1, length, EXAMPLE - 100);
        int64_t tail =
            retry_after_ms(text + 1 + (random >> 4) % length, length - (random >> 4) % length, EXAMPLE);
        assert_true(whole >= -1 && whole <= day_ms && tail >= -1 && tail <= day_ms);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after_reads_seconds),
        cmocka_unit_test(retry_after_ends_at_a_day),
        cmocka_unit_test(retry_after_reads_all_three_forms_of_a_date),
        cmocka_unit_test(retry_after_a_date_that_has_passed_is_now),
        cmocka_unit_test(retry_after_completes_a_short_year_by_the_fifty_year_rule),
        cmocka_unit_test(retry_after_knows_the_lengths_of_months),
        cmocka_unit_test(retry_after_takes_nothing_else),
        cmocka_unit_test(retry_after_takes_no_damaged_date),
        cmocka_unit_test(retry_after_reads_what_strftime_writes),
        cmocka_unit_test(retry_after_survives_damaged_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
