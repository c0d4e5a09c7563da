#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <locale.h>

#include "config_fixture.h"
#include "core/method.h"

static void a_present_group_takes_defaults_and_an_absent_one_is_not_applied(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(config_read(fixture, IN("timeout: { total = \"1.5m\"; }; retry: { };")), 0);
    const struct policy *p = config_policy(fixture, "p");
    assert_int_equal(p->groups, POLICY_TIMEOUT | POLICY_RETRY);
    assert_int_equal(p->timeout.total_ms, 90000);
    assert_int_equal(p->timeout.connect_ms, 5000);
    assert_int_equal(p->retry.attempts, 3);
    assert_int_equal(p->breaker.rule.consecutive, 0);
}

static void extends_merges_groups_key_by_key_and_replaces_lists(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(
        config_read(
            fixture,
            "policies: {\n"
            "  child: { extends = \"parent\"; timeout: { idle = \"3s\"; }; retry: { on = [\"429\"]; };\n"
            "           headers = ({ name = \"B\"; value = \"2\"; }); };\n"
            "  parent: { extends = \"quick\"; timeout: { total = \"7s\"; };\n"
            "            headers = ({ name = \"A\"; value = \"1\"; }, { name = \"C\"; value = \"3\"; }); };\n"
            "};\nhosts = ();\n"),
        0);
    const struct policy *child = config_policy(fixture, "child");
    assert_int_equal(child->timeout.total_ms, 7000);
    assert_int_equal(child->timeout.idle_ms, 3000);
    assert_int_equal(child->retry.attempts, 2);
    assert_false(outcome_set_is_empty(&child->retry.on));
    assert_int_equal(child->retry.on.types, 0);
    assert_int_equal(child->headers_count, 1);
    assert_string_equal(
        model_string(&fixture->model, model_header(&fixture->model, child->headers_first)->name), "B");
    assert_int_equal(config_policy(fixture, "parent")->headers_count, 2);
}

static void a_policy_replaces_the_built_in_one_of_its_name_and_may_extend_it(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(config_read(fixture,
                                   "policies: { quick: { extends = \"quick\"; retry: { attempts = 4; }; };\n"
                                   "            mine: { extends = \"quick\"; }; };\nhosts = ();\n"),
                       0);
    assert_int_equal(config_policy(fixture, "mine")->retry.attempts, 4);
    assert_int_equal(config_policy(fixture, "mine")->retry.base_ms, 100);
}

static void every_setting_of_the_contract_is_read(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(
        config_read(fixture,
                    "version = 1; mode = \"shadow\"; locked = false;\n"
                    "log: { level = \"debug\"; target = \"/var/log/g\"; format = \"json\"; };\n"
                    "state: { path = \"/run/g\"; hosts = 128; };\n"
                    "context: { request_id = \"r\"; tenant_id = \"t\"; project_id = \"p\"; };\n" IN(
                        "timeout: { connect = \"1s\"; attempt = \"2s\"; total = \"3s\"; idle = \"4s\"; "
                        "transfer = \"5s\"; };\n"
                        "retry: { attempts = 9; backoff: { base = \"1ms\"; factor = 3; cap = \"2ms\"; jitter "
                        "= \"equal\"; amount = 12.5; };\n"
                        "  on = [\"connect\"]; never = (429, \"5xx\"); methods = [\"POST\"]; retry_after = "
                        "\"6s\"; budget: { ratio = 1.25; floor = 0; }; };\n"
                        "breaker: { consecutive = 8; rate: { percent = 50; minimum = 7; window = \"1m\"; }; "
                        "on = []; open = \"1s\"; open_cap = \"1h\";\n"
                        "  probes = 63; errno = \"EHOSTUNREACH\"; scope = \"host\"; };\n"
                        "limit: { rate = 1; per = \"1s\"; burst = 2; key = \"k\"; wait = \"3s\"; };\n"
                        "pool: { share = false; connections = 30; keepalive = 30; };\n"
                        "propagate = [\"request_id\", \"traceparent\"];")),
        0);
    const struct settings_globals *globals = &fixture->model.globals;
    const struct policy *p = config_policy(fixture, "p");
    assert_int_equal(globals->mode, POLICY_SHADOW);
    assert_int_equal(globals->log_level, 4);
    assert_int_equal(globals->log_format, 1);
    assert_int_equal(globals->state_hosts, 128);
    assert_string_equal(model_string(&fixture->model, globals->log_target), "/var/log/g");
    assert_string_equal(model_string(&fixture->model, globals->tenant_id), "t");
    assert_int_equal(p->timeout.transfer_ms, 5000);
    assert_int_equal(p->retry.factor_milli, 3000);
    assert_int_equal(p->retry.amount_bp, 1250);
    assert_int_equal(p->retry.jitter, RETRY_JITTER_EQUAL);
    assert_int_equal(p->retry.budget_ratio_bp, 125);
    assert_int_equal(p->retry.methods, METHOD_POST);
    assert_true(outcome_set_is_empty(&p->breaker.on));
    assert_int_equal(p->breaker.rule.window_ms, 60000);
    assert_int_equal(p->breaker.scope, POLICY_SCOPE_HOST);
    assert_true(p->groups & POLICY_POOL);
    assert_false(p->pool.share);
    assert_int_equal(p->pool.connections, 30);
    assert_int_equal(p->pool.keepalive, 30);
    assert_int_equal(p->limit.rule.burst, 2);
    assert_int_equal(p->propagate, POLICY_REQUEST_ID | POLICY_TRACEPARENT);
}

static void decimals_do_not_depend_on_the_programs_locale(void **state)
{
    struct config_fixture *fixture = *state;
    locale_t german = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    locale_t mine = german ? german : duplocale(LC_GLOBAL_LOCALE), before = uselocale(mine);
    assert_return_code(config_read(fixture, IN("retry: { backoff: { factor = 2.5; }; };")), 0);
    assert_ptr_equal(uselocale((locale_t)0), mine); /* libconfig would leave the global one */
    uselocale(before);
    freelocale(mine);
    assert_int_equal(config_policy(fixture, "p")->retry.factor_milli, 2500);
}

static void includes_are_read_from_the_including_files_folder(void **state)
{
    struct config_fixture *fixture = *state;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/sub", fixture->folder);
    assert_return_code(mkdir(folder, 0700), 0);
    assert_return_code(chdir("/"), 0);
    config_write(fixture, "sub/a.cfg", "# one\n@include \"b.cfg\"\n");
    config_write(fixture, "sub/b.cfg", "policies: { p: { retry: {\nattempts = 0; }; }; };");
    assert_int_equal(
        config_read(fixture,
                    "# @include \"nowhere\"\n/*\n@include \"nowhere\"\n*/\n  @include\t\"sub/a.cfg\"\n" RULE
                    "mode = 7;\n"),
        -EINVAL);
    assert_int_equal(fixture->faults.errors, 2);
    assert_int_equal(fixture->faults.items[0].line, 7);
    assert_string_equal(fixture->faults.items[0].file, fixture->path);
    assert_int_equal(fixture->faults.items[1].line, 2);
    assert_non_null(strstr(fixture->faults.items[1].file, "sub/b.cfg"));
}

static void an_include_is_checked_before_libconfig_could_end_the_process(void **state)
{
    struct config_fixture *fixture = *state;
    char folder[96], wanted[256];
    snprintf(folder, sizeof folder, "%s/sub", fixture->folder);
    assert_return_code(mkdir(folder, 0700), 0);
    snprintf(wanted, sizeof wanted, "2: %s: not a regular file", folder);
    config_expect(fixture, "\n@include \"sub\"\n", wanted);
    snprintf(wanted, sizeof wanted, "1: %s/none: cannot be opened: No such file or directory",
             fixture->folder);
    config_expect(fixture, "@include \"none\"\n", wanted);
    snprintf(wanted, sizeof wanted, "1: @include: %s includes itself", fixture->path);
    config_expect(fixture, "@include \"main.cfg\"\n", wanted);
    config_expect(fixture, "@include \"none\n\"\n", "1: @include: expected a path in quotation marks");
    config_write(fixture, "open.cfg", "");
    snprintf(wanted, sizeof wanted, "%s/open.cfg", fixture->folder);
    chmod(wanted, 0666);
    snprintf(wanted, sizeof wanted, "1: %s/open.cfg: writable by others (chmod go-w)", fixture->folder);
    config_expect(fixture, "@include \"open.cfg\"\n", wanted);
    /* What follows a directive on its line must not become the start of one for libconfig. */
    config_write(fixture, "empty.cfg", "");
    config_expect(fixture, "@include \"empty.cfg\" @include \"/\"\n",
                  "1: syntax error, in the line \"/**/ @include \"/\"\"");
}

static void includes_end_at_ten_levels(void **state)
{
    struct config_fixture *fixture = *state;
    for (int i = 0; i < 12; i++) {
        char name[16], text[64];
        snprintf(name, sizeof name, "%d.cfg", i);
        snprintf(text, sizeof text, "@include \"%d.cfg\"\n", i + 1);
        config_write(fixture, name, i == 11 ? "" : text);
    }
    assert_int_equal(config_read(fixture, "@include \"0.cfg\"\n"), -EINVAL);
    assert_non_null(strstr(fixture->faults.items[0].text, "deeper than 10 files"));
    assert_return_code(config_read(fixture, "hosts = ();\n@include \"2.cfg\"\n"), 0);
}

static void hostile_nesting_is_refused(void **state)
{
    struct config_fixture *fixture = *state;
    size_t size = 200000;
    char *text = malloc(size + 16);
    strcpy(text, "hosts = ");
    memset(text + 8, '(', size);
    text[8 + size] = 0;
    config_expect(fixture, text, "1: nested deeper than 64 levels");
    free(text);
}

/* Found by load_fuzz: arithmetic on a table that has no items yet. Fails under the sanitizer only. */
static void empty_groups_and_lists_are_fine(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(config_read(fixture, "version = 1;\npolicies: { };\nhosts = ();\n"), 0);
    assert_int_equal(fixture->model.rules.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(a_present_group_takes_defaults_and_an_absent_one_is_not_applied),
        CONFIG_TEST(extends_merges_groups_key_by_key_and_replaces_lists),
        CONFIG_TEST(a_policy_replaces_the_built_in_one_of_its_name_and_may_extend_it),
        CONFIG_TEST(every_setting_of_the_contract_is_read),
        CONFIG_TEST(decimals_do_not_depend_on_the_programs_locale),
        CONFIG_TEST(includes_are_read_from_the_including_files_folder),
        CONFIG_TEST(an_include_is_checked_before_libconfig_could_end_the_process),
        CONFIG_TEST(includes_end_at_ten_levels),
        CONFIG_TEST(hostile_nesting_is_refused),
        CONFIG_TEST(empty_groups_and_lists_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
