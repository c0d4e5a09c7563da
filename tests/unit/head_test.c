#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tool/head.h"

static struct head head;

static int status_of(const char *text)
{
    return head_read(&head, text, true);
}

static int status_for_host(const char *host, bool is_local)
{
    char text[512];

    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nUser-Agent: x\r\nHost:%s\r\n\r\n", host);
    return head_read(&head, text, is_local);
}

static void a_request_is_read_as_it_is_written(void **state)
{
    (void)state;
    assert_int_equal(status_of("GET /metrics?x=/y HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    assert_string_equal(head.path, "/metrics");
    assert_false(head.is_head);
    assert_int_equal(status_of("HEAD / HTTP/1.0\r\n\r\n"), 200);
    assert_true(head.is_head);
    assert_int_equal(status_of("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405);
    assert_int_equal(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

static void what_is_no_request_is_refused(void **state)
{
    static const char *const texts[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.0\r\n\r\n",
        "GET\r\n / HTTP/1.0\r\n\r\n",
        "GET /\tHTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0 \r\n\r\n",
        "GET / HTTP/1.0\n\r\n\r\n",
        "GET / FTP/1.0\r\n\r\n",
        "GET /\xff HTTP/1.0\r\n\r\n",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    };
    char text[HEAD_PATH + 32];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(status_of(texts[i]), 400);
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    strcpy(text + HEAD_PATH + 4, " HTTP/1.0\r\n\r\n");
    assert_int_equal(status_of(text), 400);
}

static void another_name_is_not_this_machines(void **state)
{
    static const char *const own[] = {" localhost", "localhost:9464", " LocalHost. \t", " 127.0.0.1:9464",
                                      " 127.1.2.3", " [::1]:9464",    " [::1]",         " 10.0.0.5:80"},
                             *const other[] = {" evil.example",
                                               " evil.example:9464",
                                               "",
                                               " ",
                                               " localhost.evil.example",
                                               " 127.0.0.1.evil.example",
                                               " unix:/x",
                                               " http://localhost/",
                                               " a@localhost",
                                               " localhost, evil.example"};

    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        assert_int_equal(status_for_host(own[i], true), 200);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_int_equal(status_for_host(other[i], true), 421);
        assert_int_equal(status_for_host(other[i], false), 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_as_it_is_written),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(another_name_is_not_this_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
