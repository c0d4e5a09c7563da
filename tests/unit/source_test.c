#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "config_fixture.h"

static struct source_paths paths;

static void paths_come_from_the_request_alone(void **state)
{
    (void)state;
    struct source_request request = {.home = "/home/u"};
    assert_return_code(source_find(&request, &paths), 0);
    assert_string_equal(paths.system, "/etc/gusset/gusset.cfg");
    assert_string_equal(paths.user, "/home/u/.config/gusset/gusset.cfg");
    assert_string_equal(paths.named, "");

    request.xdg = "/xdg";
    assert_return_code(source_find(&request, &paths), 0);
    assert_string_equal(paths.user, "/xdg/gusset/gusset.cfg");
    request.xdg = "relative"; /* the XDG specification: to be ignored */
    assert_return_code(source_find(&request, &paths), 0);
    assert_string_equal(paths.user, "/home/u/.config/gusset/gusset.cfg");

    request.named = "/some/file";
    assert_return_code(source_find(&request, &paths), 0);
    assert_string_equal(paths.named, "/some/file");
    assert_string_equal(paths.user, "");
}

static void a_relative_name_is_made_absolute(void **state)
{
    (void)state;
    struct source_request request = {.named = "x.cfg"};
    assert_return_code(chdir("/tmp"), 0);
    assert_return_code(source_find(&request, &paths), 0);
    assert_string_equal(paths.named, "/tmp/x.cfg");
}

static void a_path_that_is_too_long_is_an_error(void **state)
{
    (void)state;
    static char path[SOURCE_PATH_MOST + 8];
    memset(path, '/', sizeof path - 1);
    struct source_request request = {.named = path};
    assert_int_equal(source_find(&request, &paths), -ENAMETOOLONG);
}

/* The one fault that reading main.cfg gives, behind its path. */
static void refuses(struct config_fixture *fixture, const char *sentence)
{
    char found[512], wanted[512];
    fixture->request.named = fixture->path;
    assert_int_equal(config_load(fixture), -EINVAL);
    assert_int_equal(fixture->faults.count, 1);
    fault_print(&fixture->faults.items[0], found, sizeof found);
    snprintf(wanted, sizeof wanted, "%s%s", fixture->path, sentence);
    assert_string_equal(found, wanted);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(fixture, "main.cfg", "hosts = ();\n");
    assert_return_code(chmod(fixture->path, 0664), 0);
    refuses(fixture, ": writable by others (chmod go-w)");
    assert_return_code(chmod(fixture->path, 0646), 0);
    refuses(fixture, ": writable by others (chmod go-w)");
    assert_return_code(chmod(fixture->path, 0644), 0);
    assert_return_code(config_load(fixture), 0);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(fixture, "main.cfg", "hosts = ();\n");
    assert_return_code(chmod(fixture->folder, 0777), 0);
    refuses(fixture, ": its folder is writable by others (chmod go-w)");
    assert_return_code(chmod(fixture->folder, 01777), 0); /* as /tmp is */
    assert_return_code(config_load(fixture), 0);
    assert_return_code(chmod(fixture->folder, 0700), 0);
}

static void a_link_into_an_unsafe_folder_is_refused(void **state)
{
    struct config_fixture *fixture = *state;
    char folder[96], target[128];
    snprintf(folder, sizeof folder, "%s/open", fixture->folder);
    snprintf(target, sizeof target, "%s/x.cfg", folder);
    assert_return_code(mkdir(folder, 0700), 0);
    config_write(fixture, "open/x.cfg", "hosts = ();\n");
    assert_return_code(chmod(folder, 0777), 0);
    assert_return_code(symlink(target, fixture->path), 0);
    refuses(fixture, ": its folder is writable by others (chmod go-w)");
}

static void a_strangers_file_is_refused(void **state)
{
    struct config_fixture *fixture = *state;
    if (geteuid() != 0)
        skip();
    config_write(fixture, "main.cfg", "hosts = ();\n");
    assert_return_code(chown(fixture->path, 12345, 0), 0);
    refuses(fixture, ": belongs to another user");
    assert_return_code(chown(fixture->path, 0, 0), 0);
    assert_return_code(chown(fixture->folder, 12345, 0), 0);
    refuses(fixture, ": its folder belongs to another user");
    assert_return_code(chown(fixture->folder, 0, 0), 0);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(mkdir(fixture->path, 0700), 0);
    refuses(fixture, ": not a regular file");
    rmdir(fixture->path);
    assert_return_code(mkfifo(fixture->path, 0600), 0);
    refuses(fixture, ": not a regular file");
}

static void a_nul_byte_is_refused_with_its_line(void **state)
{
    struct config_fixture *fixture = *state;
    int fd = open(fixture->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "\nmode = \"o\0\";\n", 14), 14);
    close(fd);
    refuses(fixture, ":2: holds a NUL byte; expected text");
}

static void a_file_past_sixteen_mebibytes_is_refused(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(fixture, "main.cfg", "");
    assert_return_code(truncate(fixture->path, SOURCE_SIZE_MOST + 1), 0);
    refuses(fixture, ": larger than 16 MiB");
}

static void a_named_file_must_exist(void **state)
{
    struct config_fixture *fixture = *state;
    char text[512], wanted[512];
    fixture->request.named = fixture->path;
    assert_int_equal(config_load(fixture), -EINVAL);
    fault_summary(&fixture->faults, text, sizeof text);
    snprintf(wanted, sizeof wanted, "GUSSET_CONFIG: %s: no such file", fixture->path);
    assert_string_equal(text, wanted);
}

static bool uses(const struct config_fixture *fixture, const char *policy)
{
    return model_find_policy(&fixture->model, policy) != (uint32_t)MODEL_NONE;
}

static void the_named_file_comes_before_the_users_before_the_systems(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(config_load(fixture), 0);
    assert_true(fixture->model.is_empty);

    config_write(fixture, "system.cfg", "policies: { of_system: { }; }; hosts = ();\n");
    assert_return_code(config_load(fixture), 0);
    assert_true(uses(fixture, "of_system"));

    char folder[96];
    snprintf(folder, sizeof folder, "%s/gusset", fixture->folder);
    assert_return_code(mkdir(folder, 0700), 0);
    config_write(fixture, "gusset/gusset.cfg", "policies: { of_user: { }; }; hosts = ();\n");
    fixture->request.xdg = fixture->folder;
    assert_return_code(config_load(fixture), 0);
    assert_true(uses(fixture, "of_user"));

    assert_return_code(config_read(fixture, "policies: { named: { }; }; hosts = ();\n"), 0);
    assert_true(uses(fixture, "named"));
}

static void a_locked_system_file_alone_counts(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(
        fixture, "system.cfg",
        "locked = true; policies: { of_system: { }; }; hosts = ({match=\"*\"; policy=\"of_system\";});\n");
    fixture->request.policy = "quick";
    fixture->request.set = "mode=off";
    assert_return_code(config_read(fixture, "policies: { named: { }; }; hosts = ();\n"), 0);
    assert_true(uses(fixture, "of_system"));
    assert_false(uses(fixture, "quick"));
    assert_int_equal(fixture->model.globals.mode, POLICY_ENFORCE);

    config_write(fixture, "system.cfg", "locked = false; policies: { of_system: { }; };\n");
    assert_return_code(config_load(fixture), 0);
    assert_true(uses(fixture, "named"));
}

static void a_system_file_that_others_may_write_locks_nothing(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(fixture, "system.cfg", "locked = true; hosts = ();\n");
    assert_return_code(chmod(fixture->system, 0666), 0);
    assert_return_code(config_read(fixture, "policies: { named: { }; }; hosts = ();\n"), 0);
    assert_true(uses(fixture, "named"));
}

static void a_broken_system_file_that_speaks_of_locking_is_a_fault(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(fixture, "system.cfg", "locked = true\nhosts = (\n");
    assert_int_equal(config_read(fixture, "hosts = ();\n"), -EINVAL);
    config_write(fixture, "system.cfg", "hosts = (\n");
    assert_return_code(config_read(fixture, "hosts = ();\n"), 0);
}

static void identities_tell_files_apart(void **state)
{
    struct config_fixture *fixture = *state;
    struct source_identity none, first, second;
    errno = EXDEV;
    source_identify(fixture->path, &none);
    assert_int_equal(errno, EXDEV);
    config_write(fixture, "main.cfg", "a");
    source_identify(fixture->path, &first);
    assert_false(source_is_same(&none, &first));
    config_write(fixture, "main.cfg", "ab");
    source_identify(fixture->path, &second);
    assert_false(source_is_same(&first, &second));
}

static void a_locked_system_file_that_lacks_an_include_is_a_fault(void **state)
{
    struct config_fixture *fixture = *state;
    char text[512];
    config_write(fixture, "system.cfg", "@include \"none.cfg\"\nlocked = true;\n");
    assert_int_equal(config_read(fixture, "hosts = ();\n"), -EINVAL);
    fault_summary(&fixture->faults, text, sizeof text);
    assert_non_null(strstr(text, "system.cfg:1: "));
    assert_non_null(strstr(text, "none.cfg: cannot be opened"));
    config_write(fixture, "system.cfg", "@include \"none.cfg\"\nhosts = ();\n");
    assert_return_code(config_read(fixture, "hosts = ();\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_come_from_the_request_alone),
        cmocka_unit_test(a_relative_name_is_made_absolute),
        cmocka_unit_test(a_path_that_is_too_long_is_an_error),
        CONFIG_TEST(a_file_that_others_may_write_is_refused),
        CONFIG_TEST(a_folder_that_others_may_write_is_refused),
        CONFIG_TEST(a_link_into_an_unsafe_folder_is_refused),
        CONFIG_TEST(a_strangers_file_is_refused),
        CONFIG_TEST(what_is_no_regular_file_is_refused_without_waiting),
        CONFIG_TEST(a_nul_byte_is_refused_with_its_line),
        CONFIG_TEST(a_file_past_sixteen_mebibytes_is_refused),
        CONFIG_TEST(a_named_file_must_exist),
        CONFIG_TEST(the_named_file_comes_before_the_users_before_the_systems),
        CONFIG_TEST(a_locked_system_file_alone_counts),
        CONFIG_TEST(a_locked_system_file_that_lacks_an_include_is_a_fault),
        CONFIG_TEST(a_system_file_that_others_may_write_locks_nothing),
        CONFIG_TEST(a_broken_system_file_that_speaks_of_locking_is_a_fault),
        CONFIG_TEST(identities_tell_files_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
