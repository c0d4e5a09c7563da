#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/redis_url.h"

static struct redis_url url;

static void a_url_says_where_and_who(void **state)
{
    (void)state;
    assert_null(redis_url_read(&url, "redis://cache.internal"));
    assert_string_equal(url.host, "cache.internal");
    assert_string_equal(url.port, "6379");
    assert_string_equal(url.database, "");
    assert_null(redis_url_read(&url, "redis://me:s%40%2Fcret@[::1]:7000/12"));
    assert_string_equal(url.host, "::1");
    assert_string_equal(url.port, "7000");
    assert_string_equal(url.database, "12");
    assert_string_equal(url.user, "me");
    assert_string_equal(url.password, "s@/cret");
    assert_null(redis_url_read(&url, "redis://:a@b@host/"));
    assert_string_equal(url.user, "");
    assert_string_equal(url.password, "a@b");
    assert_string_equal(url.host, "host");
    assert_null(redis_url_read(&url, "unix:///run/redis/redis.sock?db=2"));
    assert_string_equal(url.path, "/run/redis/redis.sock");
    assert_string_equal(url.host, "");
    assert_string_equal(url.database, "2");
    assert_null(redis_url_read(&url, "unix://me:pw@/run/r.sock"));
    assert_string_equal(url.path, "/run/r.sock");
    assert_string_equal(url.password, "pw");
}

static void what_is_no_url_is_refused_without_being_repeated(void **state)
{
    static const char *const texts[] = {
        "",
        "secret",
        "http://secret",
        "redis://",
        "redis:///0",
        "redis://secret@host",
        "redis://user:@host",
        "redis://host:port",
        "redis://host:123456",
        "redis://host:",
        "redis://host/secret",
        "redis://host?secret",
        "redis://[::1",
        "redis://[::1]x",
        "redis://ho%0ast",
        "redis://ho%0",
        "redis://ho%zzst",
        "redis://:pass%00word@host",
        "rediss://secret",
        "unix://secret",
        "unix://host/secret",
        "unix:///",
        "unix:///a?x=secret",
    };
    char longer[1024];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *fault = redis_url_read(&url, texts[i]);
        assert_non_null(fault);
        assert_null(strstr(fault, "secret"));
    }
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "redis://", 8);
    longer[sizeof longer - 1] = '\0';
    assert_non_null(redis_url_read(&url, longer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_says_where_and_who),
        cmocka_unit_test(what_is_no_url_is_refused_without_being_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
