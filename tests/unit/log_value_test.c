#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "log_fixture.h"

static void values_are_quoted_in_logfmt_where_they_must(void **state)
{
    (void)state;
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    assert_field("plain-1.2:3/x", "plain-1.2:3/x");
    assert_field("", "\"\"");
    assert_field(NULL, "\"\"");
    assert_field("two words", "\"two words\"");
    assert_field("a=b", "\"a=b\"");
    assert_field("say \"hi\"", "\"say \\\"hi\\\"\"");
    assert_field("back\\slash", "\"back\\\\slash\"");
    assert_field("grün", "\"grün\"");
}

static void nothing_that_moves_a_terminal_gets_through(void **state)
{
    (void)state;
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        open_log(LOG_ERROR, (enum log_format)format, path);
        assert_field("a\nlevel=error\r\t", "\"a\\nlevel=error\\r\\t\"");
        assert_field("\x1b[2J\a\x7f", "\"\\u001b[2J\\u0007\\u007f\"");
        assert_field("\xc2\x9b"
                     "2J",
                     "\"\\u009b2J\""); /* the C1 form of the same */
        assert_field("\xe2\x80\xae"
                     "gpj",
                     "\"\\u202egpj\"");              /* right to left */
        assert_field("\xe2\x80\xa8", "\"\\u2028\""); /* a line of its own in JavaScript */
    }
}

static void what_is_no_utf8_is_replaced_byte_by_byte(void **state)
{
    (void)state;
#define R "\xef\xbf\xbd"
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        open_log(LOG_ERROR, (enum log_format)format, path);
        assert_field("\xff", "\"" R "\"");
        assert_field("\x80z", "\"" R "z\"");
        assert_field("\xc0\xaf", "\"" R R "\""); /* overlong '/' */
        assert_field("\xe0\x80\xaf", "\"" R R R "\"");
        assert_field("\xed\xa0\x80", "\"" R R R "\"");       /* a surrogate */
        assert_field("\xf4\x90\x80\x80", "\"" R R R R "\""); /* beyond Unicode */
        assert_field("\xf8\x88\x80\x80", "\"" R R R R "\"");
        assert_field("\xe2\x82", "\"" R R "\""); /* cut short by the end */
        assert_field("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
    }
#undef R
}

static void numbers_of_every_size_are_written(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, -1, 42, INT64_MAX, INT64_MIN};
    static const char *const texts[] = {"0", "-1", "42", "9223372036854775807", "-9223372036854775808"};
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    for (unsigned i = 0; i < 5; i++) {
        char expected[64];
        struct log_line line;
        log_begin(&line, LOG_ERROR, "x", "y");
        log_number(&line, "v", numbers[i]);
        log_end(&line);
        snprintf(expected, sizeof expected, " msg=y v=%s\n", texts[i]);
        assert_non_null(strstr(written(), expected));
    }
}

static void a_name_cannot_bring_a_field_of_its_own(void **state)
{
    (void)state;
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    assert_non_null(strstr(line_with("a b=\"c\n", "v"), " a_b__c_=v\n"));
    open_log(LOG_ERROR, LOG_JSON, path);
    assert_non_null(strstr(line_with("a\":1,\"b", "v"), ",\"a__1__b\":\"v\"}\n"));
}

/* A flat object of strings and integers, by RFC 8259 and RFC 3629 as far as that goes. */
static bool skip_string(const unsigned char **at)
{
    if (*(*at)++ != '"')
        return false;
    for (; **at != '"'; (*at)++) {
        const unsigned char c = **at;
        if (c < 0x20)
            return false;
        if (c == '\\') {
            (*at)++;
            if (**at == 'u') {
                for (unsigned i = 0; i < 4; i++)
                    if (!strchr("0123456789abcdef", *++*at) || **at == '\0')
                        return false;
            } else if (**at == '\0' || !strchr("\"\\nrt", **at)) {
                return false;
            }
        }
        wchar_t ignored;
        if (c >= 0x80) {
            const int length = mbtowc(&ignored, (const char *)*at, 4);
            if (length < 2)
                return false;
            *at += length - 1;
        }
    }
    (*at)++;
    return true;
}

static bool is_json_line(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (char before = '{'; before != '}'; before = (char)*at) {
        if (*at++ != (before == '{' ? '{' : ',') || !skip_string(&at) || *at++ != ':')
            return false;
        if (*at == '"') {
            if (!skip_string(&at))
                return false;
        } else {
            const size_t digits = strspn((const char *)at, "-0123456789");
            if (digits == 0)
                return false;
            at += digits;
        }
        if (*at != ',' && *at != '}')
            return false;
    }
    return strcmp((const char *)at, "}\n") == 0;
}

static void json_is_valid_and_ends_its_line_whatever_the_bytes(void **state)
{
    (void)state;
    uint64_t x = DICE_SEED;
    assert_true(is_json_line("{\"a\":\"b\",\"c\":-1}\n"));
    assert_false(is_json_line("{\"a\":\"b\",\"c\":}\n"));
    assert_false(is_json_line("{\"a\":\"\xff\"}\n"));
    open_log(LOG_ERROR, LOG_JSON, path);
    for (unsigned round = 0; round < 3000; round++) {
        struct log_line line;
        char bytes[1500];
        log_begin(&line, LOG_ERROR, "x", "y");
        for (unsigned field = 0; field < 4; field++) {
            size_t length = 0;
            const size_t wanted = (x >> 30) % (round % 3 ? 300 : sizeof bytes);
            for (; length + 1 < wanted; length++) {
                dice_next(&x);
                bytes[length] = (char)(round % 2 ? 1 + (x >> 33) % 255 : 0xc0 + (x >> 33) % 64);
            }
            bytes[length] = '\0';
            log_text(&line, "v", bytes);
            log_number(&line, "n", (int64_t)x);
        }
        log_end(&line);
        const char *text = written();
        assert_true(strlen(text) <= sizeof line.text);
        assert_true(is_json_line(text));
    }
}

static void what_does_not_fit_is_cut_but_never_the_newline(void **state)
{
    (void)state;
    char value[3000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    const char *text = line_with("v", value);
    assert_int_equal(strlen(text), 1024);
    assert_string_equal(text + 1022, "v\n");
    value[100] = ' '; /* quoted */
    text = line_with("v", value);
    assert_int_equal(strlen(text), 1024);
    assert_string_equal(text + 1021, "v\"\n");
    struct log_line line;
    log_begin(&line, LOG_ERROR, "x", "y");
    for (unsigned i = 0; i < 200; i++) { /* fields come whole or not at all */
        log_number(&line, "number", 1234567);
        log_text(&line, "text", "a b");
    }
    log_end(&line);
    text = written();
    assert_true(strlen(text) <= 1024 && text[strlen(text) - 1] == '\n');
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* mbtowc */
    const struct CMUnitTest tests[] = {
        LOG_TEST(values_are_quoted_in_logfmt_where_they_must),
        LOG_TEST(nothing_that_moves_a_terminal_gets_through),
        LOG_TEST(what_is_no_utf8_is_replaced_byte_by_byte),
        LOG_TEST(numbers_of_every_size_are_written),
        LOG_TEST(a_name_cannot_bring_a_field_of_its_own),
        LOG_TEST(json_is_valid_and_ends_its_line_whatever_the_bytes),
        LOG_TEST(what_does_not_fit_is_cut_but_never_the_newline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
