/* core/method: names to bits and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/method.h"

static void method_names_and_bits_are_each_others_inverse(void **state)
{
    (void)state;
    uint32_t seen = 0;

    for (int i = 0; i < METHOD_COUNT; i++) {
        const char *name = method_name(UINT32_C(1) << i);
        assert_int_equal(method_from_name(name, strlen(name)), UINT32_C(1) << i);
        seen |= method_from_name(name, strlen(name));
    }
    assert_int_equal(seen | METHOD_OTHER, METHOD_ALL);
    assert_int_equal(seen & METHOD_OTHER, 0);
}

static void method_has_the_bit_that_its_constant_says(void **state)
{
    (void)state;

    assert_int_equal(method_from_name("GET", 3), METHOD_GET);
    assert_int_equal(method_from_name("POST", 4), METHOD_POST);
    assert_int_equal(method_from_name("QUERY", 5), METHOD_QUERY);
    assert_string_equal(method_name(METHOD_DELETE), "DELETE");
}

static void method_that_is_not_listed_is_other(void **state)
{
    (void)state;
    static const char *const names[] = {"get", "Get", "GE", "GETS", "", "OTHER", "other", "PROP"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(method_from_name(names[i], strlen(names[i])), METHOD_OTHER);
    assert_string_equal(method_name(METHOD_OTHER), "other");
    assert_string_equal(method_name(0), "other");
    assert_string_equal(method_name(METHOD_GET | METHOD_PUT), "other");
}

static void method_reads_no_further_than_the_length(void **state)
{
    (void)state;
    const char unended[3] = {'G', 'E', 'T'};

    assert_int_equal(method_from_name(unended, 3), METHOD_GET);
    assert_int_equal(method_from_name("PUTTING", 3), METHOD_PUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_names_and_bits_are_each_others_inverse),
        cmocka_unit_test(method_has_the_bit_that_its_constant_says),
        cmocka_unit_test(method_that_is_not_listed_is_other),
        cmocka_unit_test(method_reads_no_further_than_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
