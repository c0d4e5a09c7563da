/* core/pattern: what a host pattern says, which places it speaks of, and which of two says more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/pattern.h"

static enum pattern_fault fault_of(const char *text)
{
    struct pattern pattern;
    return pattern_parse(&pattern, text, strlen(text));
}

static struct pattern parsed(const char *text)
{
    struct pattern pattern;

    assert_int_equal(pattern_parse(&pattern, text, strlen(text)), PATTERN_FINE);
    return pattern;
}

static bool matches(const char *text, const char *host, uint16_t port)
{
    struct pattern pattern = parsed(text);
    struct place place;

    assert_true(host[0] == '/' ? place_from_path(&place, host, strlen(host))
                               : place_from_host(&place, host, strlen(host), port));
    return pattern_matches(&pattern, &place);
}

static void pattern_reads_names(void **state)
{
    (void)state;
    struct pattern pattern = parsed("My_API-2.Example.COM.:8443");

    assert_int_equal(pattern.kind, PATTERN_NAME);
    assert_string_equal(pattern.name, "my_api-2.example.com");
    assert_int_equal(pattern.name_length, 20);
    assert_int_equal(pattern.port, 8443);
    assert_int_equal(parsed("b\xc3\xbc"
                            "cher.example")
                         .port,
                     0);
    assert_int_equal(parsed("unix:80").kind, PATTERN_NAME);
    assert_int_equal(parsed("a:65535").port, 65535);
    assert_int_equal(parsed("1234").kind, PATTERN_NAME);
}

static void pattern_reads_stars(void **state)
{
    (void)state;

    assert_int_equal(parsed("*").kind, PATTERN_ANY);
    assert_int_equal(parsed("*:443").port, 443);
    struct pattern suffix = parsed("*.Example.com:443");
    assert_int_equal(suffix.kind, PATTERN_SUFFIX);
    assert_string_equal(suffix.name, ".example.com");
    assert_int_equal(suffix.port, 443);
}

static void assert_network(const char *text, uint8_t family, uint8_t bits, uint16_t port)
{
    struct pattern pattern = parsed(text);

    assert_int_equal(pattern.kind, PATTERN_NETWORK);
    assert_int_equal(pattern.family, family);
    assert_int_equal(pattern.prefix_bits, bits);
    assert_int_equal(pattern.port, port);
}

static void pattern_reads_networks(void **state)
{
    (void)state;

    assert_network("10.0.0.0/8", PLACE_IPV4, 8, 0);
    assert_network("10.0.0.0/8:5432", PLACE_IPV4, 8, 5432);
    assert_network("0.0.0.0/0", PLACE_IPV4, 0, 0);
    assert_network("192.0.2.7", PLACE_IPV4, 32, 0);
    assert_network("192.0.2.7:80", PLACE_IPV4, 32, 80);
    assert_network("[2001:db8::]/32", PLACE_IPV6, 32, 0);
    assert_network("[2001:db8::]/32:443", PLACE_IPV6, 32, 443);
    assert_network("2001:db8::/32", PLACE_IPV6, 32, 0);
    assert_network("::1", PLACE_IPV6, 128, 0);
    assert_network("::/0", PLACE_IPV6, 0, 0);
    assert_network("[::1]:443", PLACE_IPV6, 128, 443);
}

static void pattern_takes_a_mapped_network_for_ipv4(void **state)
{
    (void)state;

    assert_network("::ffff:10.0.0.0/104", PLACE_IPV4, 8, 0);
    assert_network("[::ffff:192.0.2.7]:80", PLACE_IPV4, 32, 80);
    assert_int_equal(fault_of("::ffff:0.0.0.0/95"), PATTERN_HOST_BITS);
    assert_true(matches("::ffff:10.0.0.0/104", "10.1.2.3", 80));
    assert_true(matches("10.0.0.0/8", "::ffff:10.1.2.3", 80));
}

static void pattern_reads_unix_paths(void **state)
{
    (void)state;
    struct pattern pattern = parsed("unix:/run/App.sock");

    assert_int_equal(pattern.kind, PATTERN_UNIX);
    assert_string_equal(pattern.name, "/run/App.sock");
    assert_int_equal(pattern.port, 0);
}

static void pattern_names_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum pattern_fault fault;
    } faults[] = {
        {"",                       PATTERN_EMPTY      },
        {".",                      PATTERN_BAD_NAME   },
        {"a..b",                   PATTERN_BAD_NAME   },
        {".a",                     PATTERN_BAD_NAME   },
        {"a b",                    PATTERN_BAD_NAME   },
        {"a\nb",                   PATTERN_BAD_NAME   },
        {"a,b",                    PATTERN_BAD_NAME   },
        {":80",                    PATTERN_BAD_NAME   },
        {"*.",                     PATTERN_BAD_NAME   },
        {"*..a",                   PATTERN_BAD_NAME   },
        {"a@b",                    PATTERN_BAD_NAME   },
        {"unix:/a\nb",             PATTERN_BAD_NAME   },
        {"a..",                    PATTERN_BAD_NAME   },
        {"**",                     PATTERN_BAD_STAR   },
        {"*a",                     PATTERN_BAD_STAR   },
        {"a.*",                    PATTERN_BAD_STAR   },
        {"a*.b",                   PATTERN_BAD_STAR   },
        {"*.*.a",                  PATTERN_BAD_STAR   },
        {"unix:/run/*",            PATTERN_BAD_STAR   },
        {"a:",                     PATTERN_BAD_PORT   },
        {"a:0",                    PATTERN_BAD_PORT   },
        {"a:65536",                PATTERN_BAD_PORT   },
        {"a:99999999999999999999", PATTERN_BAD_PORT   },
        {"a:http",                 PATTERN_BAD_PORT   },
        {"a:-1",                   PATTERN_BAD_PORT   },
        {"https://a.example",      PATTERN_BAD_PORT   },
        {"[::1]443",               PATTERN_BAD_PORT   },
        {"[::1]:",                 PATTERN_BAD_PORT   },
        {"::1/128:443",            PATTERN_BAD_PORT   },
        {"10.0.0.0/8:x",           PATTERN_BAD_PORT   },
        {"10.0.0.0/33",            PATTERN_BAD_NETWORK},
        {"10.0.0.0/",              PATTERN_BAD_NETWORK},
        {"10.0.0.0/a",             PATTERN_BAD_NETWORK},
        {"::/129",                 PATTERN_BAD_NETWORK},
        {"a.de/8",                 PATTERN_BAD_NETWORK},
        {"*/8",                    PATTERN_BAD_NETWORK},
        {"10.0.0.256",             PATTERN_BAD_NETWORK},
        {"10.0.0/8",               PATTERN_BAD_NETWORK},
        {"[::1",                   PATTERN_BAD_NETWORK},
        {"[a.de]",                 PATTERN_BAD_NETWORK},
        {"[10.0.0.1]",             PATTERN_BAD_NETWORK},
        {"2001:db8::g",            PATTERN_BAD_NETWORK},
        {"[fe80::1%eth0]",         PATTERN_BAD_NETWORK},
        {"[]",                     PATTERN_BAD_NETWORK},
        {"::",                     PATTERN_FINE       },
        {"10.0.0.1/8",             PATTERN_HOST_BITS  },
        {"2001:db8::1/32",         PATTERN_HOST_BITS  },
        {"255.255.255.255/31",     PATTERN_HOST_BITS  },
        {"0.0.0.1/0",              PATTERN_HOST_BITS  }
    };

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (fault_of(faults[i].text) != faults[i].fault)
            fail_msg("\"%s\": fault %d, not %d", faults[i].text, fault_of(faults[i].text), faults[i].fault);
}

static void pattern_takes_names_up_to_their_longest(void **state)
{
    (void)state;
    char text[300] = "*.";
    struct pattern pattern;

    memset(text + 2, 'a', sizeof text - 2);
    assert_int_equal(pattern_parse(&pattern, text, 1 + 255), PATTERN_FINE);
    assert_int_equal(pattern.name_length, 255);
    assert_int_equal(pattern_parse(&pattern, text, 1 + 256), PATTERN_BAD_NAME);
    assert_int_equal(pattern_parse(&pattern, text + 2, 255), PATTERN_FINE);
    assert_int_equal(pattern_parse(&pattern, text + 2, 256), PATTERN_BAD_NAME);
    memcpy(text, "unix:/", 6);
    assert_int_equal(pattern_parse(&pattern, text, 5 + 255), PATTERN_FINE);
    assert_int_equal(pattern_parse(&pattern, text, 5 + 256), PATTERN_BAD_NAME);
}

static void pattern_has_a_sentence_for_each_fault(void **state)
{
    (void)state;

    for (int fault = PATTERN_EMPTY; fault <= PATTERN_HOST_BITS; fault++) {
        assert_true(strlen(pattern_fault_text(fault)) > 20);
        for (int other = PATTERN_EMPTY; other < fault; other++)
            assert_string_not_equal(pattern_fault_text(fault), pattern_fault_text(other));
    }
}

static void pattern_of_a_suffix_leaves_the_bare_domain_out(void **state)
{
    (void)state;

    assert_true(matches("*.example.com", "a.example.com", 80));
    assert_true(matches("*.example.com", "a.b.EXAMPLE.com.", 80));
    assert_false(matches("*.example.com", "example.com", 80));
    assert_false(matches("*.example.com", "badexample.com", 80));
    assert_false(matches("*.example.com", "a.example.com.evil.net", 80));
    assert_false(matches("*.example.com:443", "a.example.com", 80));
}

static void pattern_of_a_name_matches_that_name_alone(void **state)
{
    (void)state;

    assert_true(matches("example.com", "Example.com", 80));
    assert_true(matches("example.com:80", "example.com", 80));
    assert_false(matches("example.com:80", "example.com", 81));
    assert_false(matches("example.com", "a.example.com", 80));
}

static void pattern_of_a_network_matches_literal_addresses_alone(void **state)
{
    (void)state;

    assert_true(matches("10.0.0.0/8", "10.255.0.1", 80));
    assert_false(matches("10.0.0.0/8", "11.0.0.1", 80));
    assert_true(matches("10.128.0.0/9", "10.128.0.1", 80));
    assert_false(matches("10.128.0.0/9", "10.127.0.1", 80));
    assert_true(matches("192.0.2.7", "192.0.2.7", 80));
    assert_false(matches("192.0.2.7", "192.0.2.6", 80));
    assert_true(matches("0.0.0.0/0", "8.8.8.8", 80));
    assert_false(matches("0.0.0.0/0", "example.com", 80));
    assert_false(matches("0.0.0.0/0", "::1", 80));
    assert_true(matches("2001:db8::/33", "2001:db8:7fff::1", 80));
    assert_false(matches("2001:db8::/33", "2001:db8:8000::1", 80));
    assert_true(matches("[::1]:443", "0::1", 443));
    assert_false(matches("::1", "::2", 443));
    assert_true(matches("::/0", "fe80::1%lo", 80));
}

static void pattern_of_everything_leaves_unix_sockets_alone(void **state)
{
    (void)state;

    assert_true(matches("*", "example.com", 80));
    assert_true(matches("*", "192.0.2.7", 80));
    assert_true(matches("*:80", "::1", 80));
    assert_false(matches("*:80", "::1", 81));
    assert_false(matches("*", "/run/app.sock", 0));
    assert_true(matches("unix:/run/app.sock", "/run/app.sock", 0));
    assert_false(matches("unix:/run/app.sock", "/run/app.sock2", 0));
    assert_false(matches("unix:/run/App.sock", "/run/app.sock", 0));
}

/* Each says less than the next; those that share a row say as much as each other. */
static void pattern_order_is_name_suffix_network_everything(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"*",              "*"               },
        {"*:443",          "*:80"            },
        {"::/0",           "::/0"            },
        {"0.0.0.0/0",      "::/96"           },
        {"0.0.0.0/0:80",   "0.0.0.0/0:443"   },
        {"10.0.0.0/8",     "11.0.0.0/8"      },
        {"10.0.0.0/9",     "[2001:db8::]/105"},
        {"10.0.0.1",       "::1"             },
        {"10.0.0.1:80",    "[::1]:443"       },
        {"*.com",          "*.org"           },
        {"*.com:80",       "*.org:443"       },
        {"*.example.com",  "*.example.org"   },
        {"a.example.com",  "example.com"     },
        {"example.com:80", "a.b.c:443"       },
        {"unix:/a",        "unix:/bcd"       }
    };
    const size_t count = sizeof rows / sizeof *rows;

    for (size_t i = 0; i < count * 2; i++) {
        for (size_t j = 0; j < count * 2; j++) {
            struct pattern a = parsed(rows[i / 2][i % 2]), b = parsed(rows[j / 2][j % 2]);
            int order = pattern_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i / 2 > j / 2) - (i / 2 < j / 2));
        }
    }
}

/* Texts of the pieces that patterns are made of: nothing is read past the end, and what is taken is sound. */
static void pattern_survives_random_texts(void **state)
{
    (void)state;
    static const char *const pieces[] = {"*",  ".", ":",     "/",  "[",    "]", "a",        "10.0.0.0",
                                         "::", "8", "unix:", "80", "\xff", " ", "2001:db8", "ffff"};
    unsigned random = 1, fine = 0;

    for (int i = 0; i < 300000; i++) {
        char text[128] = "";
        for (int j = 0; j < 6; j++) {
            random = random * 1664525u + 1013904223u;
            if (random >> 28 != 0)
                strcat(text, pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)]);
        }
        size_t length = strlen(text);
        char *exact = malloc(length + 1);
        struct pattern pattern;
        assert_non_null(exact);
        memmove(exact + 1, text, length);
        if (pattern_parse(&pattern, exact + 1, length) == PATTERN_FINE) {
            fine++;
            assert_in_range(pattern.kind, PATTERN_ANY, PATTERN_UNIX);
            assert_int_equal(strlen(pattern.name), pattern.name_length);
            assert_true(pattern.prefix_bits <= (pattern.family == PLACE_IPV4 ? 32 : 128));
        }
        free(exact);
    }
    assert_in_range(fine, 1000, 299000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_reads_names),
        cmocka_unit_test(pattern_reads_stars),
        cmocka_unit_test(pattern_reads_networks),
        cmocka_unit_test(pattern_takes_a_mapped_network_for_ipv4),
        cmocka_unit_test(pattern_reads_unix_paths),
        cmocka_unit_test(pattern_names_what_is_wrong),
        cmocka_unit_test(pattern_takes_names_up_to_their_longest),
        cmocka_unit_test(pattern_has_a_sentence_for_each_fault),
        cmocka_unit_test(pattern_of_a_suffix_leaves_the_bare_domain_out),
        cmocka_unit_test(pattern_of_a_name_matches_that_name_alone),
        cmocka_unit_test(pattern_of_a_network_matches_literal_addresses_alone),
        cmocka_unit_test(pattern_of_everything_leaves_unix_sockets_alone),
        cmocka_unit_test(pattern_order_is_name_suffix_network_everything),
        cmocka_unit_test(pattern_survives_random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
