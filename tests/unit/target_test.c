/* curl/target over libcurl's own curl_url. `make fuzz` holds it against real transfers; what that found
 * stands here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "curl/target.h"

static const struct libcurl libcurl = {
    .url = curl_url,
    .url_cleanup = curl_url_cleanup,
    .url_set = curl_url_set,
    .url_get =
        (CURLUcode(*)(const CURLU *, CURLUPart, char **, unsigned))curl_url_get, /* CURLU * before 8.0 */
    .free = curl_free,
};

static void expect(const char *url, const char *default_scheme, enum target_scheme scheme, const char *place)
{
    struct target target;
    char text[PLACE_TEXT_MAX];

    assert_true(target_read(&target, &libcurl, url, default_scheme, 0));
    place_print(&target.place, text);
    assert_string_equal(text, place);
    assert_int_equal(target.scheme, scheme);
}

static void a_plain_url_needs_no_help(void **state)
{
    (void)state;
    struct target target;

    assert_true(target_read_plain(&target, "https://API.Example.com:8443/v1/x?q#f"));
    assert_string_equal(target.place.name, "api.example.com");
    assert_int_equal(target.place.port, 8443);
    assert_int_equal(target.scheme, TARGET_HTTPS);
    assert_int_equal(target.path_length, 5);
    assert_memory_equal(target.path, "/v1/x", 5);
}

static void what_is_odd_is_left_to_libcurl(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "http://user@host/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://ex%61mple.com/",
        "http:/example.com",
        "http://a.example.com./",
        "http://a/../b",
        "http://a\\@b/",
        "http://a:0/",
        "http://a:65536/",
        "http://[fe80::1%25eth0]/",
        "ftp://a/",
        "example.com",
        "http://a b/",
        "http://a:80x/",
    };
    struct target target;

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(target_read_plain(&target, odd[i]));
    expect("http://user:secret@host.example/", NULL, TARGET_HTTP, "host.example:80");
    expect("http://127.1/", NULL, TARGET_HTTP, "127.0.0.1:80");
    expect("http://ex%61mple.com/", NULL, TARGET_HTTP, "example.com:80");
    expect("ftp.example.com/x", NULL, TARGET_OTHER, "ftp.example.com:21");
}

static void what_has_no_host_or_is_no_request_is_none_of_ours(void **state)
{
    (void)state;
    struct target target;

    assert_false(target_read(&target, &libcurl, "file:///etc/passwd", NULL, 0));
    assert_false(target_read(&target, &libcurl, "wss://example.com/", NULL, 0));
    assert_false(target_read(&target, &libcurl, "http://", NULL, 0));
    assert_false(target_read(&target, &libcurl, "", "https", 0));
}

static void the_default_protocol_goes_before_a_url_without_one(void **state)
{
    (void)state;

    expect("example.com/x", "https", TARGET_HTTPS, "example.com:443");
    expect("http://example.com/x", "https", TARGET_HTTP, "example.com:80");
    expect("ftp.example.com", "https", TARGET_HTTPS, "ftp.example.com:443");
}

/*
 * Found by target_fuzz: whether a URL names a scheme was asked of the whole text, so that one with another
 * URL in its query was taken for http on port 80 where libcurl went to https on port 443: another rule's
 * headers went there.
 */
static void a_url_in_the_query_is_not_the_scheme(void **state)
{
    (void)state;

    expect("example.com/login?to=http://other.example/", "https", TARGET_HTTPS, "example.com:443");
    expect("example.com:8443/http://x", "https", TARGET_HTTPS, "example.com:8443");
    expect("localhost:8443/x", "https", TARGET_HTTPS, "localhost:8443");
}

static void a_port_of_the_program_wins(void **state)
{
    (void)state;
    struct target target;

    assert_true(target_read(&target, &libcurl, "http://example.com:81/", NULL, 8080));
    assert_int_equal(target.place.port, 8080);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    (void)state;
    struct target a, b;
    static const char *const others[] = {"https://a.example:80/", "http://a.example:81/",
                                         "http://b.example/"};

    assert_true(target_read(&a, &libcurl, "http://a.example/x", NULL, 0));
    assert_true(target_read(&b, &libcurl, "http://A.example:80/y", NULL, 0));
    assert_true(target_same_origin(&a, &b));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(target_read(&b, &libcurl, others[i], NULL, 0));
        assert_false(target_same_origin(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_url_needs_no_help),
        cmocka_unit_test(what_is_odd_is_left_to_libcurl),
        cmocka_unit_test(what_has_no_host_or_is_no_request_is_none_of_ours),
        cmocka_unit_test(the_default_protocol_goes_before_a_url_without_one),
        cmocka_unit_test(a_url_in_the_query_is_not_the_scheme),
        cmocka_unit_test(a_port_of_the_program_wins),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
