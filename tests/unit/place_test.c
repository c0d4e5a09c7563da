/* core/place: names, addresses and paths. inet_pton and inet_ntop are the witnesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/place.h"
#include "dice.h"

/* The place of a host at port 443, printed; "-" when there is none. */
static const char *printed(const char *host)
{
    static char text[PLACE_TEXT_MAX];
    struct place place;

    if (!place_from_host(&place, host, strlen(host), 443))
        return "-";
    assert_int_equal(place.name_length, strlen(place.name));
    size_t length = place_print(&place, text);
    assert_int_equal(length, strlen(text));
    return text;
}

static void place_lower_cases_a_name_and_drops_its_final_dot(void **state)
{
    (void)state;

    assert_string_equal(printed("API.Example.COM"), "api.example.com:443");
    assert_string_equal(printed("example.com."), "example.com:443");
    assert_string_equal(printed("b\xc3\x9c"
                                "cher_1-2"),
                        "b\xc3\x9c"
                        "cher_1-2:443");
    assert_string_equal(printed("localhost"), "localhost:443");
}

static void place_refuses_what_is_no_host(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    ".",    "a..",     "a b",   "a\tb", "a\x7f",     "a:b",
                                      "a/b", "[::1", "[a.de]",  "[::g]", "[]",   "[1.2.3.4]", "a%b:c",
                                      ":",   ":::",  "1::2::3", "[",     "]",    "a\r\nb"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(printed(bad[i]), "-");
}

static void place_refuses_a_name_with_a_nul(void **state)
{
    (void)state;
    struct place place;

    assert_false(place_from_host(&place, "a\0b", 3, 80));
    assert_true(place_from_host(&place, "a\0b", 1, 80));
}

static void place_takes_names_up_to_their_longest(void **state)
{
    (void)state;
    char host[PLACE_NAME_MAX + 3], text[PLACE_TEXT_MAX];
    struct place place;

    memset(host, 'a', sizeof host);
    assert_true(place_from_host(&place, host, PLACE_NAME_MAX, 65535));
    assert_int_equal(place_print(&place, text), PLACE_NAME_MAX + 6);
    assert_false(place_from_host(&place, host, PLACE_NAME_MAX + 1, 80));
    assert_false(place_from_host(&place, host, PLACE_NAME_MAX + 2, 80));
    host[PLACE_NAME_MAX] = '.';
    assert_true(place_from_host(&place, host, PLACE_NAME_MAX + 1, 80));
    assert_int_equal(place.name_length, PLACE_NAME_MAX);
    assert_true(place_from_path(&place, host, PLACE_NAME_MAX));
    assert_int_equal(place_print(&place, text), PLACE_NAME_MAX + 5);
    assert_false(place_from_path(&place, host, PLACE_NAME_MAX + 1));
}

static void place_spells_an_address_in_one_way_only(void **state)
{
    (void)state;

    assert_string_equal(printed("192.0.2.7"), "192.0.2.7:443");
    assert_string_equal(printed("192.0.2.7."), "192.0.2.7:443");
    assert_string_equal(printed("::1"), "[::1]:443");
    assert_string_equal(printed("[::1]"), "[::1]:443");
    assert_string_equal(printed("0:0:0:0:0:0:0:1"), "[::1]:443");
    assert_string_equal(printed("2001:DB8:0:0:8:800:200C:417A"), "[2001:db8::8:800:200c:417a]:443");
    assert_string_equal(printed("2001:db8:0:1:1:1:1:1"), "[2001:db8:0:1:1:1:1:1]:443"); /* RFC 5952, 4.2.2 */
    assert_string_equal(printed("2001:0:0:1:0:0:0:1"), "[2001:0:0:1::1]:443");          /* 4.2.3 */
    assert_string_equal(printed("2001:db8:0:0:1:0:0:1"), "[2001:db8::1:0:0:1]:443");
    assert_string_equal(printed("1:0:0:0:0:0:0:0"), "[1::]:443");
    assert_string_equal(printed("::"), "[::]:443");
}

static void place_takes_a_mapped_address_for_ipv4(void **state)
{
    (void)state;
    struct place place;
    uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 7};

    assert_string_equal(printed("[::ffff:192.0.2.7]"), "192.0.2.7:443");
    assert_string_equal(printed("::ffff:c000:207"), "192.0.2.7:443");
    place_from_address(&place, PLACE_IPV6, mapped, 443);
    assert_int_equal(place.family, PLACE_IPV4);
    assert_memory_equal(place.address, "\xc0\0\2\7\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_string_equal(place.name, "192.0.2.7");
    assert_string_equal(printed("::192.0.2.7"), "[::c000:207]:443"); /* compatible is not mapped */
}

static void place_cuts_a_zone_off(void **state)
{
    (void)state;

    assert_string_equal(printed("fe80::1%eth0"), "[fe80::1]:443");
    assert_string_equal(printed("[fe80::1%25eth0]"), "[fe80::1]:443");
}

static void place_takes_short_and_octal_quads_for_names(void **state)
{
    (void)state;
    static const char *const odd[] = {"127.1", "1.2.3.256", "1.2.3.04", "1.2.3", "0x7f.0.0.1", "1.2.3.4.5"};

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct place place;
        assert_true(place_from_host(&place, odd[i], strlen(odd[i]), 80));
        assert_int_equal(place.family, PLACE_NAME);
    }
}

static void place_keeps_a_unix_path_as_it_is(void **state)
{
    (void)state;
    struct place place;
    char text[PLACE_TEXT_MAX];

    assert_true(place_from_path(&place, "/run/App 1.sock", 15));
    assert_int_equal(place.family, PLACE_UNIX);
    assert_int_equal(place.port, 0);
    assert_int_equal(place_print(&place, text), 20);
    assert_string_equal(text, "unix:/run/App 1.sock");
    assert_false(place_from_path(&place, "", 0));
    assert_false(place_from_path(&place, "\0abstract", 9));
}

static void place_knows_this_machine(void **state)
{
    (void)state;
    static const char *const here[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "LocalHost."},
                             *const elsewhere[] = {"128.0.0.1", "::", "::2", "localhost.example",
                                                   "notlocalhost"};
    struct place place;

    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        assert_true(place_from_host(&place, here[i], strlen(here[i]), 80) && place_is_loopback(&place));
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        assert_true(place_from_host(&place, elsewhere[i], strlen(elsewhere[i]), 80) &&
                    !place_is_loopback(&place));
    assert_true(place_from_path(&place, "/run/localhost", 14) && !place_is_loopback(&place));
}

/* What inet_pton makes of a text, in place_parse_address's words. */
static enum place_family witness(const char *text, uint8_t address[16])
{
    memset(address, 0, 16);
    if (inet_pton(AF_INET, text, address) == 1)
        return PLACE_IPV4;
    if (inet_pton(AF_INET6, text, address) != 1)
        return PLACE_NAME;
    if (!IN6_IS_ADDR_V4MAPPED((struct in6_addr *)address))
        return PLACE_IPV6;
    memmove(address, address + 12, 4);
    memset(address + 4, 0, 12);
    return PLACE_IPV4;
}

/* In exactly as much memory as it needs, so that a sanitizer sees a step beyond. */
static enum place_family assert_same_as_witness(const char *text)
{
    size_t length = strlen(text);
    uint8_t expected[16], got[16];
    char *exact = malloc(length + 1);
    enum place_family family = witness(text, expected);

    assert_non_null(exact);
    memmove(exact + 1, text, length);
    if (place_parse_address(exact + 1, length, got) != family)
        fail_msg("\"%s\": inet_pton says %d", text, family);
    if (family != PLACE_NAME)
        assert_memory_equal(got, expected, 16);
    free(exact);
    return family;
}

static void place_parses_random_addresses_as_inet_pton_does(void **state)
{
    (void)state;

    for (int i = 0; i < 100000; i++) {
        struct in6_addr address;
        char text[INET6_ADDRSTRLEN], mine[PLACE_TEXT_MAX];
        struct place place, again;
        for (int group = 0; group < 8; group++)
            address.s6_addr16[group] = dice() % 2 ? 0 : htons((uint16_t)(dice() >> dice() % 16));
        bool four = dice() % 4 == 0;
        inet_ntop(four ? AF_INET : AF_INET6, &address, text, sizeof text);
        assert_int_not_equal(assert_same_as_witness(text), PLACE_NAME);

        place_from_address(&place, four ? PLACE_IPV4 : PLACE_IPV6, &address, 80);
        assert_int_not_equal(assert_same_as_witness(place.name), PLACE_NAME);
        assert_true(place_from_host(&again, place.name, place.name_length, 80));
        assert_int_equal(again.family, place.family);
        assert_memory_equal(again.address, place.address, 16);
        assert_in_range(place_print(&place, mine), 7, PLACE_TEXT_MAX - 1);
    }
}

static void place_judges_random_texts_as_inet_pton_does(void **state)
{
    (void)state;
    static const char *const pieces[] = {":",   "::",  ".",       "0",  "1",    "f", "ffff", "12345",  "00",
                                         "255", "256", "1.2.3.4", "01", "abcd", "g", "FFFF", "::ffff:"};
    int valid = 0;

    for (int i = 0; i < 400000; i++) {
        char text[128] = "";
        size_t count = 1 + dice() % 14;
        bool groups = dice() % 2; /* half of them nearly right */
        for (size_t j = 0; j < count; j++) {
            strcat(text, pieces[dice() % (sizeof pieces / sizeof *pieces)]);
            if (groups && j + 1 < count)
                strcat(text, dice() % 8 ? ":" : "::");
        }
        valid += assert_same_as_witness(text) != PLACE_NAME;
    }
    for (int i = 0; i < 200000; i++) {
        char text[32];
        snprintf(text, sizeof text, "%u.%u.%u%s%u", (unsigned)(dice() % 300), (unsigned)(dice() % 300),
                 (unsigned)(dice() % 300), dice() % 8 ? "." : "..", (unsigned)(dice() % 300));
        valid += assert_same_as_witness(text) != PLACE_NAME;
    }
    assert_in_range(valid, 10000, 590000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_lower_cases_a_name_and_drops_its_final_dot),
        cmocka_unit_test(place_refuses_what_is_no_host),
        cmocka_unit_test(place_refuses_a_name_with_a_nul),
        cmocka_unit_test(place_takes_names_up_to_their_longest),
        cmocka_unit_test(place_spells_an_address_in_one_way_only),
        cmocka_unit_test(place_takes_a_mapped_address_for_ipv4),
        cmocka_unit_test(place_cuts_a_zone_off),
        cmocka_unit_test(place_takes_short_and_octal_quads_for_names),
        cmocka_unit_test(place_keeps_a_unix_path_as_it_is),
        cmocka_unit_test(place_knows_this_machine),
        cmocka_unit_test(place_parses_random_addresses_as_inet_pton_does),
        cmocka_unit_test(place_judges_random_texts_as_inet_pton_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
