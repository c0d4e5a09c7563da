#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "core/timestamp.h"

static uint32_t read_well(const char *text)
{
    uint32_t unix_s = 0;
    assert_true(timestamp_read(text, strlen(text), &unix_s));
    return unix_s;
}

static void moments_are_seconds_since_1970(void **state)
{
    (void)state;
    assert_int_equal(read_well("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(read_well("2000-02-29T12:00:01Z"), 951825601);
    assert_int_equal(read_well("2026-12-01T00:00:00Z"), 1796083200);
    assert_int_equal(read_well("2026-12-01t00:00:00.123456z"), 1796083200);
}

static void an_offset_is_taken_off(void **state)
{
    (void)state;
    assert_int_equal(read_well("2026-12-01T01:30:00+01:30"), 1796083200);
    assert_int_equal(read_well("2026-11-30T19:00:00-05:00"), 1796083200);
}

static void what_is_no_moment_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "tomorrow",
                                        "2026-12-01",
                                        "2026-12-01T00:00:00",
                                        "2026-12-01 00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-02-30T00:00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-12-01T24:00:00Z",
                                        "2026-12-01T00:60:00Z",
                                        "2026-12-01T00:00:00+1:00",
                                        "2026-12-01T00:00:00+25:00",
                                        "2026-12-01T00:00:00Zulu",
                                        "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00+00:01",
                                        "2106-02-07T06:28:16Z"};
    uint32_t unix_s;
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(timestamp_read(wrong[i], strlen(wrong[i]), &unix_s));
}

static void what_is_written_is_as_libc_has_it_and_is_read_again(void **state)
{
    uint32_t unix_s = 0;
    (void)state;
    for (int i = 0; i < 200000; i++, unix_s += 21474) { /* all of the range, in odd steps */
        char text[TIMESTAMP_ROOM], wanted[TIMESTAMP_ROOM];
        time_t moment = unix_s;
        struct tm parts;
        strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&moment, &parts));
        timestamp_write(unix_s, text);
        assert_string_equal(text, wanted);
        assert_int_equal(read_well(text), unix_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_seconds_since_1970),
        cmocka_unit_test(an_offset_is_taken_off),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(what_is_written_is_as_libc_has_it_and_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
