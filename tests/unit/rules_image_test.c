#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include "rules_fixture.h"

static void without_leave_to_compile_a_missing_image_is_stale(void **state)
{
    struct config_fixture *fixture = *state;
    const struct rules *rules;
    fixture->request.policy = "standard";
    unlink(cached(fixture));
    assert_int_equal(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), -ESTALE);
    assert_null(rules);
    assert_non_null(open_rules(fixture));
    assert_return_code(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), 0);
    assert_non_null(rules);
}

static void a_changed_file_makes_rules_stale_and_new_ones_follow(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match;
    const struct rules *old = write_and_open(fixture, "hosts = ({ match = \"*\"; policy = \"quick\"; });\n");
    assert_true(rules_are_fresh(old));
    config_write(fixture, "main.cfg", "hosts = ({ match = \"*\"; policy = \"network\"; });\n");
    assert_false(rules_are_fresh(old));
    const struct rules *new = open_rules(fixture);
    assert_true(find(new, "a", &match));
    assert_string_equal(match.policy->name, "network");
    assert_true(find(old, "a", &match)); /* still valid */
    assert_string_equal(match.policy->name, "quick");
}

static void an_image_is_opened_only_when_it_is_ours_alone(void **state)
{
    struct config_fixture *fixture = *state;
    const struct rules *rules;
    write_and_open(fixture, "hosts = ();\n");
    struct stat file;
    assert_return_code(stat(cached(fixture), &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);

    assert_return_code(chmod(cached(fixture), 0640), 0);
    assert_int_equal(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), -ESTALE);
    assert_return_code(chmod(cached(fixture), 0600), 0);
    char second[PATH_MAX + 8];
    snprintf(second, sizeof second, "%s.second", cached(fixture));
    assert_return_code(link(cached(fixture), second), 0);
    assert_int_equal(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), -ESTALE);
    assert_return_code(unlink(cached(fixture)), 0);
    assert_return_code(symlink(second, cached(fixture)), 0);
    assert_int_equal(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), -ESTALE);
    unlink(second);
    assert_non_null(open_rules(fixture)); /* put right by whoever may compile */
    assert_return_code(lstat(cached(fixture), &file), 0);
    assert_true(S_ISREG(file.st_mode));
}

static void a_damaged_image_is_made_anew(void **state)
{
    struct config_fixture *fixture = *state;
    const struct rules *rules;
    write_and_open(fixture, "hosts = ();\n");
    int fd = open(cached(fixture), O_WRONLY);
    assert_int_equal(pwrite(fd, "\xff", 1, 40), 1);
    close(fd);
    assert_int_equal(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), -ESTALE);
    assert_non_null(open_rules(fixture));
    assert_return_code(rules_open_for(&rules, &fixture->request, "p", false, text, sizeof text), 0);
}

static void rules_work_where_the_image_cannot_be_written(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match;
    config_write(fixture, "main.cfg", "hosts = ({ match = \"*\"; policy = \"quick\"; });\n");
    fixture->request.named = fixture->path;
    unlink(cached(fixture));
    assert_return_code(mkdir(cached(fixture), 0700), 0); /* rename onto a folder fails, for root too */
    const struct rules *rules = open_rules(fixture);
    assert_true(find(rules, "a", &match));
    assert_string_equal(match.policy->name, "quick");
    rmdir(cached(fixture));
}

static void put_file(const char *path, mode_t mode, long age_s)
{
    struct timespec then[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
    int fd = open(path, O_WRONLY | O_CREAT, mode);
    assert_return_code(fd, errno);
    close(fd);
    assert_return_code(utimensat(AT_FDCWD, path, then, AT_SYMLINK_NOFOLLOW), errno);
}

static void images_that_nobody_used_for_a_day_go_when_one_is_written(void **state)
{
    struct config_fixture *fixture = *state;
    static const struct {
        const char *name;
        long age_s;
        bool goes;
    } files[] = {
        {"rules-0123456789abcdef",    90000, true },
        {"rules-0123456789abcdef.17", 90000, true },
        {"rules-0123456789abcdee",    80000, false},
        {"v9",                        90000, false},
    };
    char path[256], link[256], wish[256];

    snprintf(wish, sizeof wish, "%s/state", fixture->folder);
    setenv("GUSSET_STATE", wish, 1);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/gusset-%u.%s", fixture->folder, geteuid(), files[i].name);
        put_file(path, 0600, files[i].age_s);
    }
    snprintf(link, sizeof link, "%s/gusset-%u.rules-link", fixture->folder, geteuid());
    assert_return_code(symlink(path, link), errno);
    put_file(link, 0600, 90000);
    put_file(path, 0600, 90000);

    const struct rules *rules = write_and_open(fixture, "hosts = ({ match = \"*\"; policy = \"quick\"; });");
    assert_non_null(rules);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/gusset-%u.%s", fixture->folder, geteuid(), files[i].name);
        assert_int_equal(access(path, F_OK), files[i].goes ? -1 : 0);
    }
    struct stat found;
    assert_return_code(lstat(link, &found), errno);
    assert_return_code(access(cached(fixture), F_OK), errno);

    struct rules_match match; /* a mapping outlives its file */
    put_file(cached(fixture), 0600, 90000);
    fixture->request.set = "retry.attempts=4";
    assert_non_null(open_rules(fixture));
    assert_true(find(rules, "a.example", &match));
    assert_string_equal(match.policy->name, "quick");
    fixture->request.set = NULL;
    assert_int_equal(access(cached(fixture), F_OK), -1);
    unsetenv("GUSSET_STATE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULES_TEST(without_leave_to_compile_a_missing_image_is_stale),
        RULES_TEST(a_changed_file_makes_rules_stale_and_new_ones_follow),
        RULES_TEST(an_image_is_opened_only_when_it_is_ours_alone),
        RULES_TEST(a_damaged_image_is_made_anew),
        RULES_TEST(rules_work_where_the_image_cannot_be_written),
        RULES_TEST(images_that_nobody_used_for_a_day_go_when_one_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
