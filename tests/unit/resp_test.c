#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/resp.h"

enum { MOST = 8 };

static struct resp_value values[MOST];

/* Reads a text that lies at the very end of its memory, where memcheck and ASan see a byte too many. */
static long read_text(const char *text)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, text, length);
    long result = resp_read(copy, length, values, MOST);
    free(copy); /* values point to it: only their lengths are looked at */
    return result;
}

static void a_command_is_an_array_of_texts(void **state)
{
    const char *const words[] = {"SET", "key", "two words", "", NULL};
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    (void)state;
    assert_non_null(to);
    resp_write(to, words);
    fclose(to);
    assert_string_equal(text, "*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$9\r\ntwo words\r\n$0\r\n\r\n");
    free(text);
}

static void every_kind_of_reply_is_read(void **state)
{
    (void)state;
    assert_int_equal(read_text("+OK\r\n"), 5);
    assert_int_equal(values[0].type, RESP_STATUS);
    assert_int_equal(values[0].length, 2);
    assert_int_equal(read_text("-ERR no\r\n"), 9);
    assert_int_equal(values[0].type, RESP_ERROR);
    assert_int_equal(read_text(":-42\r\n"), 6);
    assert_int_equal(values[0].number, -42);
    assert_int_equal(read_text("$4\r\na\r\nb\r\nrest"), 10);
    assert_int_equal(values[0].type, RESP_TEXT);
    assert_int_equal(values[0].length, 4);
    assert_int_equal(read_text("$-1\r\n"), 5);
    assert_int_equal(values[0].type, RESP_NIL);
    assert_int_equal(read_text("*3\r\n$1\r\na\r\n$-1\r\n:7\r\n+OK\r\n"), 20);
    assert_int_equal(values[0].number, 3);
    assert_int_equal(values[1].type, RESP_TEXT);
    assert_int_equal(values[2].type, RESP_NIL);
    assert_int_equal(values[3].number, 7);
    assert_int_equal(read_text("*0\r\n"), 4);
    assert_int_equal(read_text("*-1\r\n"), 5);
    assert_int_equal(values[0].type, RESP_NIL);
}

static void a_reply_that_is_not_whole_is_waited_for(void **state)
{
    static const char whole[] = "*2\r\n$5\r\nhello\r\n:12\r\n";

    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char part[sizeof whole] = "";
        memcpy(part, whole, length);
        assert_int_equal(read_text(part), 0);
    }
    assert_int_equal(read_text(whole), sizeof whole - 1);
}

static void what_is_no_reply_is_refused(void **state)
{
    static const char *const texts[] = {"HTTP/1.1 400 Bad Request\r\n",
                                        "\r\n",
                                        "$\r\n",
                                        "$5\r\nhello!!",
                                        "$-2\r\n",
                                        ":1x\r\n",
                                        ":\r\n",
                                        ":-\r\n",
                                        ":99999999999999999999999\r\n",
                                        "+OK\rX",
                                        "*-2\r\n",
                                        "*8\r\n",
                                        "*1000000000\r\n",
                                        "*1\r\n*1\r\n",
                                        "%1\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(read_text(texts[i]), -EBADMSG);
}

static void a_text_that_is_longer_than_memory_is_only_waited_for(void **state)
{
    (void)state;
    assert_int_equal(read_text("$999999999999999999\r\nabc"),
                     0); /* who waits gives up when its room is full */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_an_array_of_texts),
        cmocka_unit_test(every_kind_of_reply_is_read),
        cmocka_unit_test(a_reply_that_is_not_whole_is_waited_for),
        cmocka_unit_test(what_is_no_reply_is_refused),
        cmocka_unit_test(a_text_that_is_longer_than_memory_is_only_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
