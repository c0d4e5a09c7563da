#include "sys/module.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The object that holds a function of libc's. */
static struct module libc_module(void)
{
    struct module module;
    struct link_map *map = NULL;
    Dl_info info;

    assert_int_not_equal(dladdr1(dlsym(RTLD_DEFAULT, "getenv"), &info, (void **)&map, RTLD_DL_LINKMAP), 0);
    assert_true(module_read(&module, map->l_addr, map->l_ld));
    return module;
}

static void finds_what_the_loader_finds(void **state)
{
    static const char *const names[] = {"getenv", "dlsym", "dlopen", "connect", "pthread_create", "qsort"};
    struct module module = libc_module();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_ptr_equal(module_find(&module, names[i], NULL), dlsym(RTLD_DEFAULT, names[i]));
    assert_null(module_find(&module, "curl_easy_init", NULL));
}

static void takes_the_version_that_is_asked_for(void **state)
{
    struct module module = libc_module();
    const char *version = module_version(&module, "dlsym");

    (void)state;
    assert_non_null(version);
    assert_ptr_equal(module_find(&module, "dlsym", version), dlvsym(RTLD_DEFAULT, "dlsym", version));
    assert_null(module_find(&module, "dlsym", "NOBODYS_1"));
}

static void finds_itself_and_what_comes_after(void **state)
{
    struct module own, other = libc_module();

    (void)state;
    assert_true(module_own(&own));
    assert_ptr_not_equal(own.symbols, other.symbols);
    assert_ptr_equal(module_find_next("getenv"), dlsym(RTLD_NEXT, "getenv"));
    assert_null(module_find_next("nobody_defines_this"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_the_loader_finds),
        cmocka_unit_test(takes_the_version_that_is_asked_for),
        cmocka_unit_test(finds_itself_and_what_comes_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
