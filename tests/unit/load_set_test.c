#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "config_fixture.h"

static void set_comes_on_top_of_every_policy(void **state)
{
    struct config_fixture *fixture = *state;
    fixture->request.set =
        "retry.attempts=4\ntimeout.total=10s\nmode=shadow\nretry.on=reset, 5xx\n\nlimit.key=${HOME:-x}";
    assert_return_code(
        config_read(
            fixture,
            "policies: { a: { timeout: { }; }; };\nhosts = ({ match = \"*\"; policy = \"quick\"; });"),
        0);
    assert_int_equal(fixture->model.globals.mode, POLICY_SHADOW);
    const struct policy *a = config_policy(fixture, "a"), *quick = config_policy(fixture, "quick");
    assert_int_equal(a->retry.attempts, 4);
    assert_int_equal(a->retry.base_ms, 500);
    assert_int_equal(quick->retry.attempts, 4);
    assert_int_equal(quick->retry.base_ms, 100);
    assert_int_equal(quick->timeout.total_ms, 10000);
    assert_int_equal(a->groups, POLICY_TIMEOUT | POLICY_RETRY | POLICY_LIMIT);
    assert_string_equal(model_string(&fixture->model, a->limit.key), "${HOME:-x}");
}

static void faults_of_set_and_policy_name_the_option(void **state)
{
    struct config_fixture *fixture = *state;
    static const struct {
        const char *set, *fault;
    } cases[] = {
        {"retry.attempts",        "--set: 'retry.attempts' has no '='; expected KEY=VALUE"                   },
        {"retry.atempts=3",       "--set: unknown key 'retry.atempts', did you mean 'retry.attempts'?"       },
        {"retry.attempts=x",      "--set: retry.attempts: found \"x\", expected a whole number from 1 to 100"},
        {"headers=x",             "--set: headers cannot be given by --set"                                  },
        {"headers.name=x",        "--set: headers cannot be given by --set"                                  },
        {"hedge=p95",             "--set: unknown key 'hedge', did you mean 'hedge.after'?"                  },
        {"retry.backoff.cap=1ms", "--set: policy \"quick\": retry.backoff.cap (1ms) is shorter than "
                                  "retry.backoff.base (100ms); say both"    },
    };
    fixture->request.policy = "quick";
    fixture->request.set_by = "--set";
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        fixture->request.set = cases[i].set;
        assert_int_equal(config_load(fixture), -EINVAL);
        fault_summary(&fixture->faults, text, sizeof text);
        assert_string_equal(text, cases[i].fault);
    }
    char text[512];
    fixture->request.set = NULL;
    fixture->request.policy = "quik";
    fixture->request.policy_by = "--policy";
    assert_int_equal(config_load(fixture), -EINVAL);
    fault_summary(&fixture->faults, text, sizeof text);
    assert_string_equal(text, "--policy: unknown policy \"quik\", did you mean \"quick\"?");
}

static void where_no_option_said_it_they_name_the_variable(void **state)
{
    struct config_fixture *fixture = *state;
    static const struct {
        const char *policy, *set, *fault;
    } cases[] = {
        {"quik",  NULL,               "GUSSET_POLICY: unknown policy \"quik\", did you mean \"quick\"?"},
        {"quick", "retry.atempts=3",
         "GUSSET_SET: unknown key 'retry.atempts', did you mean 'retry.attempts'?"                     },
        {"quick", "headers=x",        "GUSSET_SET: headers cannot be given by GUSSET_SET"              },
        {"quick", "health.path=/x",
         "GUSSET_SET: health.path: settings of services cannot be given by GUSSET_SET"                 },
        {"quick", "retry.attempts=x",
         "GUSSET_SET: retry.attempts: found \"x\", expected a whole number from 1 to 100"              },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        fixture->request.policy = cases[i].policy;
        fixture->request.set = cases[i].set;
        assert_int_equal(config_load(fixture), -EINVAL);
        fault_summary(&fixture->faults, text, sizeof text);
        assert_string_equal(text, cases[i].fault);
    }
}

static void a_named_policy_takes_the_place_of_the_files_hosts(void **state)
{
    struct config_fixture *fixture = *state;
    fixture->request.policy = "mine";
    assert_return_code(
        config_read(fixture,
                    "policies: { mine: { retry: { }; }; };\nhosts = ({ match = \"a\"; policy = \"nil\"; });"),
        0);
    assert_int_equal(fixture->model.rules.count, 1);
    assert_int_equal(model_rule(&fixture->model, 0)->kind, PATTERN_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(set_comes_on_top_of_every_policy),
        CONFIG_TEST(faults_of_set_and_policy_name_the_option),
        CONFIG_TEST(where_no_option_said_it_they_name_the_variable),
        CONFIG_TEST(a_named_policy_takes_the_place_of_the_files_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
