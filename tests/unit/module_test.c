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
    /* None that a sanitizer puts its own in front of. */
    static const char *const names[] = {"getenv", "dlsym", "getppid", "getpgrp", "gnu_get_libc_version"};
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

/* What may be unloaded while a signal handler reads it is not looked at. */
static void finds_without_a_lock_what_stays_loaded_and_no_more(void **state)
{
    void *library = dlopen("libconfig.so.9", RTLD_NOW);

    (void)state;
    assert_ptr_equal(module_find_lasting("getppid"), dlsym(RTLD_NEXT, "getppid"));
    assert_null(module_find_lasting("nobody_defines_this"));
    if (!library) {
        print_message("skipped: %s\n", dlerror());
        skip();
    }
    assert_ptr_equal(module_find_next("config_init"), dlsym(library, "config_init"));
    assert_null(module_find_lasting("config_init"));
    dlclose(library);
}

static int holds(struct dl_phdr_info *info, size_t size, void *at)
{
    uintptr_t *wanted = at; /* in it an address, out of it its segment */

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type != PT_LOAD || wanted[0] - start >= info->dlpi_phdr[i].p_memsz)
            continue;
        wanted[1] = start;
        wanted[2] = start + info->dlpi_phdr[i].p_memsz;
        return 1;
    }
    return 0;
}

static void finds_the_segment_of_an_address(void **state)
{
    const void *const addresses[] = {dlsym(RTLD_DEFAULT, "getenv"), (void *)finds_the_segment_of_an_address,
                                     dlsym(RTLD_DEFAULT, "environ"),
                                     dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests")};
    uintptr_t start, end;

    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        uintptr_t wanted[3] = {(uintptr_t)addresses[i]};
        assert_int_equal(dl_iterate_phdr(holds, wanted), 1);
        assert_true(module_segment(addresses[i], &start, &end));
        assert_int_equal(start, wanted[1]);
        assert_int_equal(end, wanted[2]);
    }
    assert_false(module_segment(&start, &start, &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_segment_of_an_address),
        cmocka_unit_test(finds_what_the_loader_finds),
        cmocka_unit_test(takes_the_version_that_is_asked_for),
        cmocka_unit_test(finds_itself_and_what_comes_after),
        cmocka_unit_test(finds_without_a_lock_what_stays_loaded_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
