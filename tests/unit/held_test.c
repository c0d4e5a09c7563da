#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/retry.h"
#include "curl/held.h"

static char lines[4096];
static struct reply reply;

static void hold(const char *line)
{
    uint32_t size = (uint32_t)strlen(line);

    memcpy(lines + reply.length, &size, sizeof size);
    memcpy(lines + reply.length + sizeof size, line, size);
    reply.length += sizeof size + size;
}

static int set_up(void **state)
{
    (void)state;
    reply = (struct reply){.lines = lines};
    hold("HTTP/1.1 302 Found\r\n");
    hold("ETag: \"of the redirect\"\r\n");
    hold("Location: /x\r\n");
    hold("\r\n");
    hold("HTTP/2 200\r\n");
    hold("content-length:  123 \r\n");
    hold("X-Twice: one\r\n");
    hold("x-twice: two\r\n");
    hold("Empty:\r\n");
    hold("\r\n");
    return 0;
}

static void assert_field(const char *name, const char *wanted)
{
    struct held_value value = held_field(&reply, name);
    assert_true(held_is(&value, wanted, strlen(wanted)));
}

static void fields_are_those_of_the_final_block(void **state)
{
    (void)state;
    assert_field("Content-Length", "123");
    assert_field("EMPTY", "");
    assert_null(held_field(&reply, "ETag").text);
    assert_null(held_field(&reply, "Content").text);
}

static void of_equal_fields_the_last_counts(void **state)
{
    (void)state;
    assert_field("X-Twice", "two");
}

static void numbers_are_whole(void **state)
{
    static const char *const none[] = {"", "-1", "1.5", "0x10", "1 2", "1234567890123456"};
    (void)state;
    struct held_value length = held_field(&reply, "content-length"), absent = {NULL, 0};
    assert_int_equal(held_number(&length), 123);
    assert_int_equal(held_number(&absent), -1);
    for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct held_value value = {none[i], strlen(none[i])};
        assert_int_equal(held_number(&value), -1);
    }
}

static void a_reply_without_lines_has_no_fields(void **state)
{
    struct reply empty = {0};
    (void)state;
    assert_null(held_field(&empty, "ETag").text);
}

static void dates_are_read_as_http_has_them(void **state)
{
    static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    int64_t unix_s;
    (void)state;
    assert_true(retry_date(date, strlen(date), &unix_s));
    assert_int_equal(unix_s, 784111777);
    assert_false(retry_date("soon", 4, &unix_s));
    assert_false(retry_date("", 0, &unix_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fields_are_those_of_the_final_block, set_up),
        cmocka_unit_test_setup(of_equal_fields_the_last_counts, set_up),
        cmocka_unit_test_setup(numbers_are_whole, set_up),
        cmocka_unit_test(a_reply_without_lines_has_no_fields),
        cmocka_unit_test(dates_are_read_as_http_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
