#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/explain.h"
#include "config_fixture.h"
#include "core/method.h"

static void explain(struct config_fixture *fixture, const char *name, const char *key, const char *value,
                    const char *origin)
{
    struct explain_setting setting;
    uint32_t index = name ? model_find_policy(&fixture->model, name) : (uint32_t)MODEL_NONE;
    assert_true(explain_setting(&fixture->model, index, (unsigned)settings_find(key, strlen(key)), &setting));
    assert_string_equal(setting.value, value);
    size_t length = strlen(setting.origin), tail = strlen(origin);
    assert_true(length >= tail);
    assert_string_equal(setting.origin + length - tail, origin);
}

static void each_setting_knows_where_it_came_from(void **state)
{
    struct config_fixture *fixture = *state;
    fixture->request.set = "timeout.idle=9s";
    assert_return_code(config_read(fixture,
                                   "mode = \"shadow\";\npolicies: {\n b: { extends = \"quick\";\n  timeout: "
                                   "{ total = \"7s\"; }; };\n"
                                   " c: { extends = \"b\"; retry: {\n   retries = 6; }; };\n};\nhosts = ();"),
                       0);
    explain(fixture, "c", "timeout.total", "7s", "/main.cfg:4");
    explain(fixture, "c", "retry.attempts", "7", "/main.cfg:6");
    explain(fixture, "c", "retry.backoff.base", "100ms", "built-in quick");
    explain(fixture, "c", "timeout.connect", "5s", "default");
    explain(fixture, "c", "timeout.idle", "9s", "--set");
    explain(fixture, NULL, "mode", "shadow", "/main.cfg:1");
    explain(fixture, NULL, "log.level", "off", "default");
    struct explain_setting setting;
    uint32_t c = model_find_policy(&fixture->model, "c");
    assert_false(explain_setting(&fixture->model, c, (unsigned)settings_find("limit.rate", 10), &setting));
}

static void rules_that_fit_a_place_come_in_order_with_their_verdict(void **state)
{
    struct config_fixture *fixture = *state;
    assert_return_code(
        config_read(fixture, "hosts = (\n{ match = \"*\"; policy = \"standard\"; },\n"
                             "{ match = \"*.b\"; policy = \"quick\"; },\n"
                             "{ match = \"a.b:80\"; policy = \"network\"; },\n"
                             "{ match = \"a.b\"; methods = [\"PUT\"]; policy = \"network\"; },\n"
                             "{ match = \"a.b\"; programs = [\"x\"]; policy = \"network\"; },\n"
                             "{ match = \"a.b\"; paths = [\"/v1*\", \"/v2/x\"]; policy = \"expensive\"; },\n"
                             "{ match = \"c.b\"; policy = \"quick\"; });"),
        0);
    static const struct {
        uint32_t number;
        enum explain_verdict verdict;
    } wanted[] = {
        {2, EXPLAIN_OTHER_PORT   },
        {5, EXPLAIN_OTHER_PATH   },
        {5, EXPLAIN_MATCHES      },
        {3, EXPLAIN_OTHER_METHOD },
        {4, EXPLAIN_OTHER_PROGRAM},
        {1, EXPLAIN_MATCHES      },
        {0, EXPLAIN_MATCHES      }
    };
    struct place place;
    struct rules_query query = {&place, METHOD_GET, "/v1/y", 5};
    struct explain_candidate candidate;
    uint32_t at = 0;
    assert_true(place_from_host(&place, "a.b", 3, 443));
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(explain_next(&fixture->model, &query, "y", &at, &candidate));
        assert_int_equal(candidate.number, wanted[i].number);
        assert_int_equal(candidate.verdict, wanted[i].verdict);
    }
    assert_false(explain_next(&fixture->model, &query, "y", &at, &candidate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(each_setting_knows_where_it_came_from),
        CONFIG_TEST(rules_that_fit_a_place_come_in_order_with_their_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
