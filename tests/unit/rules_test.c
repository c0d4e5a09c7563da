#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "config/wish.h"
#include "rules_fixture.h"

static void with_no_file_and_no_policy_there_are_no_rules(void **state)
{
    struct config_fixture *fixture = *state;
    assert_null(open_rules(fixture));
    assert_string_equal(text, "");
    assert_int_equal(access(cached(fixture), F_OK), -1);
}

static void a_named_policy_needs_no_file_and_holds_for_every_host(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match;
    fixture->request.policy = "expensive";
    fixture->request.set = "retry.attempts=4";
    unlink(cached(fixture));
    const struct rules *rules = open_rules(fixture);
    assert_true(find(rules, "anything.example", &match));
    assert_string_equal(match.policy->name, "expensive");
    assert_int_equal(match.policy->settings->retry.attempts, 4);
    assert_int_equal(match.policy->settings->timeout.total_ms, 180000);
    assert_true(find(rules, "192.0.2.1", &match));
    assert_int_equal(match.mode, POLICY_ENFORCE);
    assert_false(rules_has_unix(rules));
    assert_int_equal(access(cached(fixture), F_OK), 0);
}

static void a_faulty_file_gives_its_first_fault_and_how_many_follow(void **state)
{
    struct config_fixture *fixture = *state;
    const struct rules *rules;
    char wanted[512];
    config_write(fixture, "main.cfg", "mode = 1;\nhosts = ({ match = \"*\"; policy = \"nil\"; });\n");
    fixture->request.named = fixture->path;
    errno = EXDEV;
    assert_int_equal(rules_open_for(&rules, &fixture->request, "p", true, text, sizeof text), -EINVAL);
    assert_int_equal(errno, EXDEV);
    snprintf(
        wanted, sizeof wanted,
        "%s:1: mode: found 1, expected one of enforce, shadow, off (and 1 more; `gusset check` names them)",
        fixture->path);
    assert_string_equal(text, wanted);
    assert_int_equal(access(cached(fixture), F_OK), -1);
}

static void the_environment_is_where_the_request_comes_from(void **state)
{
    struct config_fixture *fixture = *state;
    struct source_request request;
    setenv("GUSSET_CONFIG", fixture->path, 1);
    setenv("GUSSET_POLICY", "quick", 1);
    setenv("GUSSET_SET", "mode=off", 1);
    wish_read(&request);
    assert_string_equal(request.named, fixture->path);
    assert_string_equal(request.policy, "quick");
    assert_string_equal(request.set, "mode=off");
    unsetenv("GUSSET_CONFIG");
    unsetenv("GUSSET_POLICY");
    unsetenv("GUSSET_SET");
}

static void an_assumed_policy_gives_way_to_a_file(void **state)
{
    struct config_fixture *fixture = *state;
    struct source_request request;

    setenv("GUSSET_POLICY", "standard", 1);
    setenv("GUSSET_POLICY_IMPLIED", "standard", 1);
    setenv("GUSSET_CONFIG", fixture->path, 1);
    wish_read(&request);
    assert_null(request.policy);
    setenv("GUSSET_POLICY", "quick", 1); /* somebody's own word */
    wish_read(&request);
    assert_string_equal(request.policy, "quick");
    setenv("GUSSET_POLICY", "standard", 1);
    unsetenv("GUSSET_POLICY_IMPLIED");
    wish_read(&request);
    assert_string_equal(request.policy, "standard");
    unsetenv("GUSSET_POLICY");
    unsetenv("GUSSET_CONFIG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULES_TEST(with_no_file_and_no_policy_there_are_no_rules),
        RULES_TEST(a_named_policy_needs_no_file_and_holds_for_every_host),
        RULES_TEST(a_faulty_file_gives_its_first_fault_and_how_many_follow),
        RULES_TEST(the_environment_is_where_the_request_comes_from),
        RULES_TEST(an_assumed_policy_gives_way_to_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
