#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent/notice.h"

static struct notice notice;
static uint64_t memory;

/* How many notices a text holds behind its first line; the last one stays in notice. */
static unsigned count(const char *text)
{
    const char *at = text, *end = text + strlen(text);
    struct notice next;
    unsigned found = 0;

    if (!notice_begins(&at, end, &memory))
        return 0;
    for (; notice_next(&at, end, &next); found++)
        notice = next;
    assert_ptr_equal(at, end);
    return found;
}

static void what_is_written_is_read(void **state)
{
    const struct notice written[] = {
        {.is_open = true,
         .opening = 0x1234,
         .left_ms = 28650,
         .host = "api.example.com:443",
         .policy = "standard"},
        {.is_open = true,   .is_by_hand = true,                            .opening = UINT64_MAX,                                         .host = "[2001:db8::1]:1"},
        {.opening = 1, .host = "10.0.0.5:8001",.policy = "@user-service"}
    };
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    (void)state;
    assert_non_null(to);
    notice_begin(to, 0x9c1f3a5577e0b2d4);
    for (size_t i = 0; i < 3; i++)
        notice_write(to, &written[i]);
    fclose(to);
    const char *at = text;
    assert_true(notice_begins(&at, text + length, &memory));
    assert_true(memory == 0x9c1f3a5577e0b2d4);
    for (size_t i = 0; i < 3; i++) {
        assert_true(notice_next(&at, text + length, &notice));
        assert_int_equal(notice.is_open, written[i].is_open);
        assert_int_equal(notice.is_by_hand, written[i].is_by_hand);
        assert_true(notice.opening == written[i].opening);
        assert_int_equal(notice.left_ms, written[i].left_ms);
        assert_string_equal(notice.host, written[i].host);
        assert_string_equal(notice.policy, written[i].policy);
    }
    assert_false(notice_next(&at, text + length, &notice));
    free(text);
}

static void what_is_not_just_so_is_passed_over(void **state)
{
    static const char *const lines[] = {
        "",
        "open",
        "open failures 1 1 a:1",
        "open failures 1 1 a:1 p more",
        "open  failures 1 1 a:1 p",
        " open failures 1 1 a:1 p",
        "OPEN failures 1 1 a:1 p",
        "open nobody 1 1 a:1 p",
        "open failures 0x1 1 a:1 p",
        "open failures 11111111111111111 1 a:1 p",
        "open failures 1 -1 a:1 p",
        "open failures 1 4294967296 a:1 p",
        "open failures 1 99999999999 a:1 p",
        "open failures 1 1 a\x7f:1 p",
        "open failures 1 1 \xc3\xa4:1 p",
        "open failures 1 1 a:1 p\r",
        "open failures 1 1 a:1\tp",
    };
    char text[1024], name[200];

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(text, sizeof text, "gusset 1\n%s\nclosed hand 2 0 b:2 q\n", lines[i]);
        assert_int_equal(count(text), 1);
        assert_string_equal(notice.host, "b:2");
    }
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "gusset 1\nopen hand 1 1 %s p\nopen hand 1 1 b:2 %s\n", name, name);
    assert_int_equal(count(text), 0);
}

static void a_text_that_is_cut_or_of_another_kind_says_less(void **state)
{
    const char nul[] = "gusset 1\nopen hand 1 1 a:1 p\0\nclosed hand 2 0 b:2 q\n", *at = nul;

    (void)state;
    assert_int_equal(count("gusset 1\nopen hand 1 1 a:1 p"), 0);
    assert_int_equal(count("gusset 1\n"), 0);
    assert_int_equal(count("gusset 1 12\nopen hand 1 1 a:1 p\n"), 1);
    assert_true(memory == 0x12);
    assert_int_equal(count("gusset 1 \nopen hand 1 1 a:1 p\n"), 0);
    assert_int_equal(count("gusset 1 xy\nopen hand 1 1 a:1 p\n"), 0);
    assert_int_equal(count("gusset 1 00000000000000001\nopen hand 1 1 a:1 p\n"), 0);
    assert_int_equal(count("gusset 12\nopen hand 1 1 a:1 p\n"), 0);
    assert_int_equal(count("gusset 2\nopen hand 1 1 a:1 p\n"), 0);
    assert_int_equal(count("open hand 1 1 a:1 p\n"), 0);
    assert_true(notice_begins(&at, nul + sizeof nul - 1, &memory));
    assert_true(notice_next(&at, nul + sizeof nul - 1, &notice));
    assert_string_equal(notice.host, "b:2");
}

static void only_words_can_be_said(void **state)
{
    (void)state;
    assert_true(notice_can_say("api.example.com:443", "standard"));
    assert_true(notice_can_say("api.example.com:443", ""));
    assert_false(notice_can_say("", "standard"));
    assert_false(notice_can_say("a b:1", "standard"));
    assert_false(notice_can_say("a\n:1", "standard"));
    assert_false(notice_can_say("a:1", "\xc3\xa4"));
    assert_false(notice_can_say("a:1", "-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_not_just_so_is_passed_over),
        cmocka_unit_test(a_text_that_is_cut_or_of_another_kind_says_less),
        cmocka_unit_test(only_words_can_be_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
