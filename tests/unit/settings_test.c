#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "config/conflict.h"
#include "config/defaults.h"
#include "config/field.h"
#include "config/preset.h"
#include "config/print.h"
#include "config/settings.h"
#include "config/spelling.h"
#include "config/value.h"
#include "core/method.h"

static const struct settings_entry *entry(const char *key)
{
    int index = settings_find(key, strlen(key));
    assert_true(index >= 0);
    return settings_at((unsigned)index);
}

static bool parse(const char *key, const char *text, struct policy *policy)
{
    return field_parse(entry(key), policy, text, strlen(text));
}

static void every_default_is_taken_and_printed_as_it_is_written(void **state)
{
    (void)state;
    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *at = settings_at(i);
        union {
            struct policy policy;
            struct settings_globals globals;
        } base = {0};
        char text[512];
        if (at->kind == SETTINGS_TEXT)
            continue;
        assert_true(field_parse(at, &base, at->initial, strlen(at->initial)));
        print_field(at, &base, "", text, sizeof text);
        if (strcmp(at->key, "retry.methods") == 0) /* in the order of the table of methods */
            assert_string_equal(text, "GET, HEAD, PUT, DELETE, OPTIONS, TRACE");
        else
            assert_string_equal(text, at->initial);
    }
}

static void keys_are_unique_and_each_has_a_help_without_full_stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < settings_count(); i++) {
        const char *key = settings_at(i)->key, *help = settings_at(i)->help;
        assert_int_equal(settings_find(key, strlen(key)), i);
        assert_true(strlen(help) > 5 && help[strlen(help) - 1] != '.');
    }
}

static void durations_take_units_and_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {
        {"250ms",   250    },
        {"2s",      2000   },
        {"1.5m",    90000  },
        {"0s",      0      },
        {"1h",      3600000},
        {"0.5s",    500    },
        {"0.4ms",   1      },
        {"1.0005s", 1001   },
        {"007s",    7000   },
        {".5s",     500    }
    };
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t ms = 99;
        assert_true(value_duration(good[i].text, strlen(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    static const char *const bad[] = {
        "",     "5",  "s",    "5 s", "-1s",  "+1s",  "1.s",    "1..5s",
        "1e3s", "5S", "5sec", "1s ", "0x1s", "infs", "1.1.1s", "99999999999999999999s"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t ms;
        assert_false(value_duration(bad[i], strlen(bad[i]), &ms));
    }
}

static void numbers_out_of_range_are_refused_and_change_nothing(void **state)
{
    (void)state;
    struct policy policy = {.retry.attempts = 7};
    assert_false(parse("retry.attempts", "0", &policy));
    assert_false(parse("retry.attempts", "101", &policy));
    assert_false(parse("retry.attempts", "3.5", &policy));
    assert_false(parse("retry.attempts", "4294967299", &policy));
    assert_int_equal(policy.retry.attempts, 7);
    assert_true(parse("retry.attempts", "100", &policy));
    assert_int_equal(policy.retry.attempts, 100);
    assert_false(parse("breaker.rate.percent", "100.01", &policy));
    assert_true(parse("breaker.rate.percent", "12.5", &policy));
    assert_int_equal(policy.breaker.rule.percent_bp, 1250);
    assert_true(parse("retry.backoff.factor", "1.5", &policy));
    assert_int_equal(policy.retry.factor_milli, 1500);
    assert_true(parse("retry.backoff.factor", "2", &policy));
    assert_int_equal(policy.retry.factor_milli, 2000);
}

static void retries_are_attempts_less_the_first(void **state)
{
    (void)state;
    struct policy policy = {0};
    assert_true(parse("retry.retries", "0", &policy));
    assert_int_equal(policy.retry.attempts, 1);
    assert_true(parse("retry.retries", "99", &policy));
    assert_int_equal(policy.retry.attempts, 100);
    assert_false(parse("retry.retries", "100", &policy));
}

static void lists_are_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    struct policy policy = {0};
    char text[256];
    assert_true(parse("retry.on", "timeout,5xx , CURLE_COULDNT_CONNECT", &policy));
    print_field(entry("retry.on"), &policy, "", text, sizeof text);
    assert_string_equal(text, "timeout, CURLE_COULDNT_CONNECT, 5xx");
    assert_false(parse("retry.on", "reset, nonsense", &policy));
    print_field(entry("retry.on"), &policy, "", text, sizeof text);
    assert_string_equal(text, "timeout, CURLE_COULDNT_CONNECT, 5xx");
    assert_true(parse("retry.on", "", &policy));
    assert_true(outcome_set_is_empty(&policy.retry.on));
    assert_true(parse("retry.methods", "GET, POST", &policy));
    assert_int_equal(policy.retry.methods, METHOD_GET | METHOD_POST);
    assert_false(parse("retry.methods", "get", &policy));
    assert_true(parse("retry.methods", "other", &policy));
    assert_int_equal(policy.retry.methods, METHOD_OTHER);
}

static void choices_are_names(void **state)
{
    (void)state;
    struct policy policy = {0};
    assert_true(parse("breaker.errno", "ETIMEDOUT", &policy));
    assert_int_equal(policy.breaker.refusal_errno, ETIMEDOUT);
    assert_false(parse("breaker.errno", "EPERM", &policy));
    assert_false(parse("breaker.errno", "", &policy));
}

static void a_slip_is_led_to_the_nearest_key_of_its_level(void **state)
{
    (void)state;
    static const struct {
        const char *slip, *near;
        enum settings_place place;
    } slips[] = {
        {"timout",             "timeout",            SETTINGS_OF_POLICY},
        {"retry.atempts",      "retry.attempts",     SETTINGS_OF_POLICY},
        {"retry.backof",       "retry.backoff",      SETTINGS_OF_POLICY},
        {"extend",             "extends",            SETTINGS_OF_POLICY},
        {"host",               "hosts",              SETTINGS_OF_FILE  },
        {"retry.backoff.bsae", "retry.backoff.base", SETTINGS_OF_POLICY},
        {"header",             "headers",            SETTINGS_OF_POLICY}
    };
    static const char *const words[] = {"extends", "hosts", NULL};
    for (unsigned i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        const char *slip = slips[i].slip;
        const char *near = spelling_nearest(slip, strlen(slip), slips[i].place, words);
        assert_non_null(near);
        assert_int_equal(spelling_level_length(near, slip), strlen(slips[i].near));
        assert_memory_equal(near, slips[i].near, strlen(slips[i].near));
    }
    assert_null(spelling_nearest("completely_else", 15, SETTINGS_OF_POLICY, NULL));
}

static void what_is_expected_is_said_with_its_range(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text;
    } wanted[] = {
        {"timeout.connect",      "a duration with a unit such as \"5s\", from 0s to 168h"  },
        {"retry.attempts",       "a whole number from 1 to 100"                            },
        {"retry.retries",        "a whole number from 0 to 99"                             },
        {"retry.backoff.factor", "a decimal number from 1.0 to 100.0"                      },
        {"retry.budget.ratio",   "a percentage from 0 to 100"                              },
        {"breaker.scope",        "one of policy, host"                                     },
        {"propagate",            "a list of request_id, tenant_id, project_id, traceparent"},
        {"locked",               "true or false"                                           },
    };
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        char text[256];
        assert_int_equal(print_expected(entry(wanted[i].key), text, sizeof text), strlen(wanted[i].text));
        assert_string_equal(text, wanted[i].text);
    }
}

/* The key of the policy's only contradiction, or NULL. */
static const char *contradiction(const struct policy *policy)
{
    static struct conflict conflict;
    struct conflict more;
    unsigned at = 0;
    if (!conflict_next(policy, &at, &conflict))
        return NULL;
    assert_false(conflict_next(policy, &at, &more));
    return settings_at(conflict.setting)->key;
}

static void caps_below_their_bases_are_a_conflict_and_can_be_mended(void **state)
{
    (void)state;
    struct policy policy = {0};
    defaults_apply_group(&policy, POLICY_RETRY | POLICY_BREAKER);
    assert_null(contradiction(&policy));
    policy.retry.base_ms = policy.retry.cap_ms + 1;
    assert_string_equal(contradiction(&policy), "retry.backoff.cap");
    conflict_mend(&policy);
    assert_null(contradiction(&policy));
    policy.breaker.rule.open_ms = policy.breaker.rule.open_cap_ms + 1;
    assert_string_equal(contradiction(&policy), "breaker.open_cap");
    conflict_mend(&policy);
    defaults_apply_group(&policy, POLICY_POOL);
    assert_null(contradiction(&policy));
    policy.pool.keepalive = policy.pool.connections + 1;
    assert_string_equal(contradiction(&policy), "pool.connections");
    conflict_mend(&policy);
    assert_null(contradiction(&policy));
}

struct expectation {
    const char *name;
    uint32_t attempts, base_ms, cap_ms, connect_ms, attempt_ms, total_ms, consecutive, open_ms;
};

static void built_in_policies_have_the_numbers_of_the_contract(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"standard",     3, 500,  5000,  5000,  30000, 90000,  5, 5000 },
        {"quick",        2, 100,  1000,  5000,  30000, 90000,  5, 5000 },
        {"expensive",    5, 1000, 10000, 5000,  60000, 180000, 5, 5000 },
        {"conservative", 3, 2000, 30000, 5000,  30000, 90000,  5, 5000 },
        {"aggressive",   5, 500,  5000,  5000,  30000, 90000,  5, 5000 },
        {"network",      3, 500,  5000,  5000,  10000, 10000,  5, 5000 },
        {"database",     2, 100,  1000,  10000, 30000, 90000,  3, 30000},
        {"external",     3, 500,  5000,  5000,  30000, 90000,  5, 60000},
    };
    struct model model;
    assert_return_code(model_init(&model), 0);
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_string_equal(preset_name(i), all[i].name);
        uint32_t index = preset_add(&model, all[i].name);
        assert_int_not_equal(index, (uint32_t)MODEL_NONE);
        const struct policy *policy = &model_policy(&model, index)->values;
        const struct expectation found = {all[i].name,
                                          policy->retry.attempts,
                                          policy->retry.base_ms,
                                          policy->retry.cap_ms,
                                          policy->timeout.connect_ms,
                                          policy->timeout.attempt_ms,
                                          policy->timeout.total_ms,
                                          policy->breaker.rule.consecutive,
                                          policy->breaker.rule.open_ms};
        assert_memory_equal(&found, &all[i], sizeof found);
        assert_int_equal(policy->groups, POLICY_TIMEOUT | POLICY_RETRY | POLICY_BREAKER);
        assert_int_equal(policy->propagate, 0);
    }
    assert_null(preset_name(8));
    assert_int_equal(preset_add(&model, "unheard"), (uint32_t)MODEL_NONE);
    model_clear(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_taken_and_printed_as_it_is_written),
        cmocka_unit_test(keys_are_unique_and_each_has_a_help_without_full_stop),
        cmocka_unit_test(durations_take_units_and_decimals),
        cmocka_unit_test(numbers_out_of_range_are_refused_and_change_nothing),
        cmocka_unit_test(retries_are_attempts_less_the_first),
        cmocka_unit_test(lists_are_taken_whole_or_not_at_all),
        cmocka_unit_test(choices_are_names),
        cmocka_unit_test(a_slip_is_led_to_the_nearest_key_of_its_level),
        cmocka_unit_test(what_is_expected_is_said_with_its_range),
        cmocka_unit_test(caps_below_their_bases_are_a_conflict_and_can_be_mended),
        cmocka_unit_test(built_in_policies_have_the_numbers_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
