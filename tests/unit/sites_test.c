#include "sys/sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const void *site(unsigned number)
{
    return (const void *)(uintptr_t)(0x555555554000 + number * 0x25);
}

static void keeps_a_number_for_a_site_and_a_flavour(void **state)
{
    (void)state;
    assert_int_equal(sites_find(LIBCURL_openssl, site(0), 1), -1);
    sites_keep(LIBCURL_openssl, site(0), 1, 0);
    sites_keep(LIBCURL_gnutls, site(0), 1, 7);
    assert_int_equal(sites_find(LIBCURL_openssl, site(0), 1), 0);
    assert_int_equal(sites_find(LIBCURL_gnutls, site(0), 1), 7);
    assert_int_equal(sites_find(LIBCURL_nss, site(0), 1), -1);
}

static void forgets_when_a_library_is_opened(void **state)
{
    (void)state;
    sites_keep(LIBCURL_openssl, site(1), 5, 3);
    assert_int_equal(sites_find(LIBCURL_openssl, site(1), 5), 3);
    assert_int_equal(sites_find(LIBCURL_openssl, site(1), 6), -1);
    sites_keep(LIBCURL_openssl, site(1), 6, 4);
    assert_int_equal(sites_find(LIBCURL_openssl, site(1), 6), 4);
}

/* A program has a score of sites; where there are more than there is room for, none is taken for another. */
static void never_takes_one_site_for_another(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        sites_keep(LIBCURL_openssl, site(i), 9, i % (SITES_MOST + 1));
    for (unsigned i = 0; i < 1000; i++) {
        int number = sites_find(LIBCURL_openssl, site(i), 9);
        assert_true(number == -1 || number == (int)(i % (SITES_MOST + 1)));
    }
    assert_int_equal(sites_find(LIBCURL_openssl, site(999), 9), 999 % (SITES_MOST + 1));
}

static void leaves_what_does_not_fit(void **state)
{
    const void *high = (const void *)((uintptr_t)1 << 50);

    (void)state;
    sites_keep(LIBCURL_openssl, high, 2, 1);
    assert_int_equal(sites_find(LIBCURL_openssl, high, 2), -1);
    sites_keep(LIBCURL_openssl, site(2), 2, SITES_MOST + 1);
    assert_int_equal(sites_find(LIBCURL_openssl, site(2), 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_number_for_a_site_and_a_flavour),
        cmocka_unit_test(forgets_when_a_library_is_opened),
        cmocka_unit_test(never_takes_one_site_for_another),
        cmocka_unit_test(leaves_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
