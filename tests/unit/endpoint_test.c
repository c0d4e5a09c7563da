/* core/endpoint: the addresses of services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"

/* "scheme|place|path", or what was expected. */
static const char *read(const char *text)
{
    static char said[1024];
    char place[PLACE_TEXT_MAX];
    struct endpoint endpoint;

    enum endpoint_fault fault = endpoint_parse(&endpoint, text, strlen(text));
    if (fault != ENDPOINT_FINE)
        return endpoint_fault_text(fault);
    place_print(&endpoint.place, place);
    snprintf(said, sizeof said, "%s%s|%s|%.*s", endpoint.is_srv ? "srv " : "",
             endpoint_scheme_name(endpoint.scheme), place, (int)endpoint.path_length, endpoint.path);
    return said;
}

static void endpoint_reads_scheme_host_port_and_path(void **state)
{
    (void)state;
    assert_string_equal(read("http://localhost:8001/api/v1"), "http|localhost:8001|/api/v1");
    assert_string_equal(read("HTTPS://API.Example.com"), "https|api.example.com:443|");
    assert_string_equal(read("http://10.0.0.5/"), "http|10.0.0.5:80|");
    assert_string_equal(read("http://[2001:db8::1]:81/x//"), "http|[2001:db8::1]:81|/x");
    assert_string_equal(read("tcp://db.internal:5432"), "|db.internal:5432|");
}

static void endpoint_without_a_port_keeps_the_one_that_was_asked_for(void **state)
{
    (void)state;
    assert_string_equal(read("//cache.internal"), "|cache.internal:0|");
    assert_string_equal(read("tcp://cache.internal"), "|cache.internal:0|");
}

static void endpoint_reads_a_name_of_srv_records(void **state)
{
    struct endpoint endpoint;
    (void)state;
    assert_string_equal(read("srv:_http._tcp.users.internal"), "srv http|_http._tcp.users.internal:0|");
    assert_string_equal(read("srv:_https._tcp.users.internal"), "srv https|_https._tcp.users.internal:0|");
    assert_string_equal(read("srv:_postgresql._tcp.db.internal"), "srv |_postgresql._tcp.db.internal:0|");
    endpoint_parse(&endpoint, "srv:_http._tcp.users.internal", 29);
    assert_string_equal(endpoint_srv_domain(&endpoint), "users.internal");
}

static void endpoint_says_what_it_expected(void **state)
{
    static const struct {
        const char *text;
        enum endpoint_fault fault;
    } bad[] = {
        {"",                         ENDPOINT_BAD_FORM   },
        {"localhost:8001",           ENDPOINT_BAD_FORM   },
        {"localhost",                ENDPOINT_BAD_FORM   },
        {"http:/localhost",          ENDPOINT_BAD_FORM   },
        {"://localhost",             ENDPOINT_BAD_FORM   },
        {"http://",                  ENDPOINT_BAD_HOST   },
        {"http://:80",               ENDPOINT_BAD_HOST   },
        {"http://a b",               ENDPOINT_BAD_HOST   },
        {"http://[::1",              ENDPOINT_BAD_HOST   },
        {"http://a:",                ENDPOINT_BAD_PORT   },
        {"http://a:0",               ENDPOINT_BAD_PORT   },
        {"http://a:65536",           ENDPOINT_BAD_PORT   },
        {"http://a:8o",              ENDPOINT_BAD_PORT   },
        {"http://[::1]8",            ENDPOINT_BAD_PORT   },
        {"http://a/x?y",             ENDPOINT_BAD_PATH   },
        {"http://a/x#y",             ENDPOINT_BAD_PATH   },
        {"http://a?x",               ENDPOINT_BAD_PATH   },
        {"http://a/x y",             ENDPOINT_BAD_PATH   },
        {"http://u:p@a/",            ENDPOINT_CREDENTIALS},
        {"srv:",                     ENDPOINT_BAD_SRV    },
        {"srv:users.internal",       ENDPOINT_BAD_SRV    },
        {"srv:_http.users.internal", ENDPOINT_BAD_SRV    },
        {"srv:_http._tcp",           ENDPOINT_BAD_SRV    },
        {"srv:_http._tcp.users:80",  ENDPOINT_BAD_SRV    },
    };
    struct endpoint endpoint;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (endpoint_parse(&endpoint, bad[i].text, strlen(bad[i].text)) != bad[i].fault)
            fail_msg("%s: %s", bad[i].text, read(bad[i].text));
        assert_true(strlen(endpoint_fault_text(bad[i].fault)) > 10);
    }
}

static void endpoint_reads_no_further_than_it_may(void **state)
{
    struct endpoint endpoint;
    (void)state;
    assert_int_equal(endpoint_parse(&endpoint, "http://ab:81/xy", 9), ENDPOINT_FINE);
    assert_string_equal(endpoint.place.name, "ab");
    assert_int_equal(endpoint.place.port, 80);
    for (size_t length = 0; length < 15; length++) /* under a sanitizer it must not look behind */
        endpoint_parse(&endpoint, "http://ab:81/xy", length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoint_reads_scheme_host_port_and_path),
        cmocka_unit_test(endpoint_without_a_port_keeps_the_one_that_was_asked_for),
        cmocka_unit_test(endpoint_reads_a_name_of_srv_records),
        cmocka_unit_test(endpoint_says_what_it_expected),
        cmocka_unit_test(endpoint_reads_no_further_than_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
