#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dice.h"
#include "log_fixture.h"

static void a_line_in_logfmt_says_all(void **state)
{
    (void)state;
    struct log_line line;
    open_log(LOG_WARN, LOG_LOGFMT, path);
    log_begin(&line, LOG_WARN, "retry", "attempt 1 failed, next in 800 ms");
    log_text(&line, "host", "api.example.com:443");
    log_number(&line, "wait_ms", 800);
    log_end(&line);
    assert_string_equal(written(),
                        head("time=2026-11-21T14:00:00.123Z level=warn program=%s pid=%d event=retry "
                             "msg=\"attempt 1 failed, next in 800 ms\" host=api.example.com:443 "
                             "wait_ms=800\n"));
}

static void a_line_in_json_says_the_same(void **state)
{
    (void)state;
    struct log_line line;
    open_log(LOG_WARN, LOG_JSON, path);
    log_begin(&line, LOG_ERROR, "retry", "attempt 1 failed");
    log_text(&line, "host", "a:1");
    log_number(&line, "wait_ms", -800);
    log_end(&line);
    assert_string_equal(written(),
                        head("{\"time\":\"2026-11-21T14:00:00.123Z\",\"level\":\"error\",\"program\":\"%s\","
                             "\"pid\":%d,\"event\":\"retry\",\"msg\":\"attempt 1 failed\","
                             "\"host\":\"a:1\",\"wait_ms\":-800}\n"));
}

static void only_levels_asked_for_are_written(void **state)
{
    (void)state;
    open_log(LOG_WARN, LOG_LOGFMT, path);
    assert_true(log_wants(LOG_ERROR));
    assert_true(log_wants(LOG_WARN));
    assert_false(log_wants(LOG_INFO));
    assert_false(log_wants(LOG_OFF));
    log_say(LOG_INFO, "x", "y");
    assert_int_equal(access(path, F_OK), -1);
    open_log(LOG_OFF, LOG_LOGFMT, path);
    assert_false(log_wants(LOG_ERROR));
    log_say(LOG_ERROR, "x", "y");
    log_say(LOG_OFF, "x", "y");
    assert_int_equal(access(path, F_OK), -1);
}

static void lines_are_appended(void **state)
{
    (void)state;
    struct stat st;
    open_log(LOG_DEBUG, LOG_LOGFMT, path);
    log_say(LOG_DEBUG, "one", "1");
    log_say(LOG_INFO, "two", "2");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    const char *text = written();
    assert_non_null(strstr(text, "level=debug"));
    assert_non_null(strstr(text, "event=one msg=1\ntime="));
    assert_non_null(strstr(text, "level=info"));
    assert_non_null(strstr(text, "event=two msg=2\n"));
}

static void the_date_is_that_of_gmtime(void **state)
{
    (void)state;
    static const int64_t seconds[] = {0,          951782399,  951782400,  951868800,  1709164800,  1709251199,
                                      1735689599, 1735689600, 4107542399, 4107542400, 253402300799};
    uint64_t x = DICE_SEED;
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    for (unsigned i = 0; i < 500; i++) {
        char expected[64];
        struct tm tm;
        dice_next(&x);
        const time_t second =
            i < sizeof seconds / sizeof seconds[0] ? seconds[i] : (time_t)((x >> 20) % 253402300800);
        pretended_ms = second * 1000 + i;
        gmtime_r(&second, &tm);
        snprintf(expected, sizeof expected, "time=%04d-%02d-%02dT%02d:%02d:%02d.%03uZ ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, i);
        log_say(LOG_ERROR, "x", "y");
        assert_int_equal(strncmp(written(), expected, strlen(expected)), 0);
    }
    pretended_ms = INT64_MAX; /* a broken clock */
    log_say(LOG_ERROR, "x", "y");
    assert_int_equal(strncmp(written(), "time=292278994-", 15), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_line_in_logfmt_says_all),         LOG_TEST(a_line_in_json_says_the_same),
        LOG_TEST(only_levels_asked_for_are_written), LOG_TEST(lines_are_appended),
        LOG_TEST(the_date_is_that_of_gmtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
