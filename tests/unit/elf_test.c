#include "sys/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool needs(const struct elf *elf, const char *prefix)
{
    char name[256];

    for (unsigned i = 0; elf_needs(elf, i, name, sizeof name); i++)
        if (strncmp(name, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static bool has_symbol(const struct elf *elf, const char *wanted, bool defined)
{
    char name[256];
    bool is_defined;

    for (unsigned i = 1, count = elf_symbols(elf); i < count; i++)
        if (elf_symbol(elf, i, name, sizeof name, &is_defined) && strcmp(name, wanted) == 0)
            return is_defined == defined;
    return false;
}

static void reads_what_this_program_needs(void **state)
{
    struct elf elf;
    struct elf_segment segment;

    (void)state;
    assert_int_equal(elf_open(&elf, program_invocation_name), 0); /* /proc/self/exe may be an emulator */
    assert_int_equal(elf.class, sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32);
    assert_true(elf_segment_of(&elf, PT_INTERP, &segment));
    assert_true(needs(&elf, "libc.so"));
    assert_true(needs(&elf, "libcmocka.so"));
    assert_false(needs(&elf, "libcurl"));
    assert_true(has_symbol(&elf, "_cmocka_run_group_tests", false));
    elf_close(&elf);
}

static void what_is_no_elf_file_is_refused(void **state)
{
    struct elf elf;

    (void)state;
    assert_int_equal(elf_open(&elf, "/dev/null"), -ENOEXEC);
    assert_int_equal(elf_open(&elf, "/nonexistent"), -ENOENT);
}

/* Every byte of the head in turn set to 255, and every length: whatever is read, nothing runs wild. */
static void a_damaged_file_is_read_without_harm(void **state)
{
    enum { HEAD = 1024 };
    static unsigned char bytes[65536];
    char path[] = "/tmp/elf_test.XXXXXX", name[64];
    int fd = mkstemp(path), from = open("/proc/self/exe", O_RDONLY);
    ssize_t length = read(from, bytes, sizeof bytes);

    (void)state;
    assert_true(fd >= 0 && length > HEAD);
    for (int i = 4; i < HEAD; i += 3) {
        struct elf elf;
        unsigned char saved = bytes[i];
        bytes[i] = 255;
        size_t size = i % 2 ? (size_t)length : (size_t)i + 64;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bytes, size, 0), size);
        bytes[i] = saved;
        if (elf_open(&elf, path) < 0)
            continue;
        for (unsigned k = 0; k < 64 && elf_needs(&elf, k, name, sizeof name); k++)
            assert_non_null(memchr(name, '\0', sizeof name));
        elf_symbols(&elf);
        elf_close(&elf);
    }
    close(fd);
    close(from);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_this_program_needs),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
        cmocka_unit_test(a_damaged_file_is_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
