#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "rules_fixture.h"

static void templates_are_expanded_in_this_process_once_a_policy(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match, again;
    setenv("GUSSET_TEST_TRIES", "6", 1);
    setenv("GUSSET_TEST_KEY", "blue", 1);
    const struct rules *rules = write_and_open(
        fixture, "log: { level = \"${GUSSET_TEST_LEVEL:-warn}\"; };\ncontext: { tenant_id = "
                 "\"${GUSSET_TEST_KEY}\"; };\n"
                 "policies: { p: { extends = \"quick\"; retry: { attempts = \"${GUSSET_TEST_TRIES}\"; };\n"
                 "  limit: { key = \"k-${GUSSET_TEST_KEY}\"; };\n"
                 "  headers = ({ name = \"X-A\"; value = \"v-${GUSSET_TEST_KEY}\"; }, { name = \"X-B\"; "
                 "value = \"b\"; override = true; },\n"
                 "             { name = \"X-Empty\"; value = \"${GUSSET_TEST_NONE:-}\"; }); }; };\n"
                 "hosts = ({ match = \"a\"; policy = \"p\"; }, { match = \"b\"; policy = \"p\"; retry: { "
                 "retries = 1; }; mode = \"shadow\"; });\n");
    assert_int_equal(rules_globals(rules)->log_level, 2);
    assert_string_equal(rules_globals(rules)->tenant_id, "blue");
    assert_string_equal(rules_globals(rules)->log_target, "stderr");
    assert_true(find(rules, "a", &match));
    assert_int_equal(match.policy->settings->retry.attempts, 6);
    assert_int_equal(match.policy->settings->retry.base_ms, 100);
    assert_string_equal(match.policy->limit_key, "k-blue");
    assert_int_equal(match.policy->header_count, 2);
    assert_string_equal(match.policy->headers[0].line, "X-A: v-blue");
    assert_int_equal(match.policy->headers[0].name_length, 3);
    assert_false(match.policy->headers[0].override);
    assert_string_equal(match.policy->headers[1].line, "X-B: b");
    assert_true(match.policy->headers[1].override);
    assert_true(find(rules, "b", &again));
    assert_int_equal(again.policy->settings->retry.attempts, 2); /* in place, over the template */
    assert_int_equal(again.policy->header_count, 2);
    assert_int_equal(again.mode, POLICY_SHADOW);
    assert_int_equal(again.rule, 1);
    setenv("GUSSET_TEST_TRIES", "9", 1);
    assert_true(find(rules, "a", &again));
    assert_ptr_equal(again.policy, match.policy);
    assert_int_equal(sentences, 0);
}

static const char variants_file[] = "hosts = ({ match = \"a\"; variants = ({ weight = 1; policy = "
                                    "\"standard\"; }, { weight = 1; policy = \"quick\"; "
                                    "}); },\n"
                                    "         { match = \"r\"; by = \"request\"; variants = ({ weight = 1; "
                                    "policy = \"standard\"; }, { weight = 1; policy = "
                                    "\"quick\"; ramp = \"1h\"; }); },\n"
                                    "         { match = \"t\"; by = \"tenant\"; variants = ({ weight = 1; "
                                    "policy = \"standard\"; }, { weight = 1; policy "
                                    "= \"quick\"; }); });\n";

/* How many of 64 tenants, or requests, get `quick`; twice each, and the same both times. */
static unsigned count_quick(struct config_fixture *fixture, const char *host, const char *variable)
{
    struct rules_match match, again;
    unsigned count = 0;
    for (int i = 0; i < 64; i++) {
        char value[16];
        snprintf(value, sizeof value, "member-%d", i);
        setenv(variable, value, 1);
        const struct rules *rules = open_rules(fixture), *others = open_rules(fixture);
        assert_true(find(rules, host, &match));
        assert_true(find(others, host, &again));
        assert_string_equal(match.policy->name, again.policy->name);
        count += strcmp(match.policy->name, "quick") == 0;
        rules_close(rules);
        rules_close(others);
    }
    unsetenv(variable);
    return count;
}

static void variants_are_drawn_by_what_the_context_has(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match, again;
    const struct rules *rules = write_and_open(fixture, variants_file);
    assert_true(find(rules, "a", &match));
    assert_true(find(rules, "a", &again));
    assert_ptr_equal(match.policy, again.policy);
    assert_in_range(count_quick(fixture, "a", "GUSSET_TENANT_ID"), 16, 48);
    assert_in_range(count_quick(fixture, "a", "GUSSET_REQUEST_ID"), 16, 48);
    assert_in_range(count_quick(fixture, "t", "GUSSET_TENANT_ID"), 16, 48);
    unsigned count = count_quick(fixture, "t", "GUSSET_REQUEST_ID"); /* this process, all the time */
    assert_true(count == 0 || count == 64);
}

static void age_file(struct config_fixture *fixture, time_t seconds)
{
    struct timespec times[2] = {
        {0,                    UTIME_OMIT},
        {time(NULL) - seconds, 0         }
    };
    assert_return_code(utimensat(AT_FDCWD, fixture->path, times, 0), 0);
}

static void a_ramp_counts_from_when_the_file_was_changed(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match;
    const struct rules *rules = write_and_open(fixture, variants_file);
    assert_true(find(rules, "r", &match));
    assert_true(match.is_moving);
    assert_string_equal(match.policy->name, "standard");
    age_file(fixture, 1800);
    assert_in_range(count_quick(fixture, "r", "GUSSET_REQUEST_ID"), 4, 30);
    age_file(fixture, 3700);
    assert_in_range(count_quick(fixture, "r", "GUSSET_REQUEST_ID"), 16, 48);
    rules = open_rules(fixture);
    assert_true(find(rules, "r", &match));
    assert_false(match.is_moving);
    age_file(fixture, -3600); /* a clock that was put back */
    assert_int_equal(count_quick(fixture, "r", "GUSSET_REQUEST_ID"), 0);
}

static void an_unfit_expansion_leaves_the_default_and_is_said_once(void **state)
{
    struct config_fixture *fixture = *state;
    struct rules_match match;
    setenv("GUSSET_TEST_TRIES", "6", 1);
    unsetenv("GUSSET_TEST_KEY");
    const struct rules *rules = write_and_open(
        fixture, "policies: { p: { extends = \"quick\"; retry: { attempts = \"${GUSSET_TEST_TRIES}\"; };\n"
                 "  headers = ({ name = \"X-A\"; value = \"${GUSSET_TEST_KEY}\"; }, { name = \"X-B\"; value "
                 "= \"${GUSSET_TEST_TRIES}\"; }); }; };\n"
                 "hosts = ({ match = \"a\"; policy = \"p\"; });\n");
    setenv("GUSSET_TEST_TRIES", "many\r\nX: y", 1);
    errno = EXDEV;
    assert_true(find(rules, "a", &match));
    assert_true(find(rules, "a", &match));
    assert_int_equal(errno, EXDEV);
    assert_int_equal(match.policy->settings->retry.attempts, 3);
    assert_int_equal(match.policy->header_count, 0);
    assert_int_equal(sentences, 3);
    assert_string_equal(
        heard[0],
        "retry.attempts keeps its default: its ${…} does not expand to a whole number from 1 to 100");
    assert_string_equal(heard[1],
                        "header X-A is left out: the variable GUSSET_TEST_KEY is not set and has no default");
    assert_string_equal(heard[2], "header X-B is left out: its value holds a control character");
    unsetenv("GUSSET_TEST_TRIES");
}

struct crowd {
    const struct rules *rules;
    const struct rules_policy *seen;
};

static void *look(void *argument)
{
    struct crowd *crowd = argument;
    struct place place;
    struct rules_query query = {&place, METHOD_GET, "/", 1};
    struct rules_match match;
    place_from_host(&place, "a", 1, 443);
    if (rules_find(crowd->rules, &query, &match))
        crowd->seen = match.policy;
    return NULL;
}

static void threads_that_meet_a_policy_first_see_the_same_one(void **state)
{
    struct config_fixture *fixture = *state;
    enum { THREADS = 8 };
    for (int round = 0; round < 20; round++) {
        const struct rules *rules =
            write_and_open(fixture, "policies: { p: { limit: { key = \"${HOME:-x}\"; }; headers = ({ name = "
                                    "\"A\"; value = \"${HOME:-x}\"; }); }; };\n"
                                    "hosts = ({ match = \"a\"; policy = \"p\"; });\n");
        pthread_t threads[THREADS];
        struct crowd crowd[THREADS];
        for (int i = 0; i < THREADS; i++) {
            crowd[i] = (struct crowd){rules, NULL};
            assert_int_equal(pthread_create(&threads[i], NULL, look, &crowd[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < THREADS; i++) {
            assert_non_null(crowd[i].seen);
            assert_ptr_equal(crowd[i].seen, crowd[0].seen);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULES_TEST(templates_are_expanded_in_this_process_once_a_policy),
        RULES_TEST(variants_are_drawn_by_what_the_context_has),
        RULES_TEST(a_ramp_counts_from_when_the_file_was_changed),
        RULES_TEST(an_unfit_expansion_leaves_the_default_and_is_said_once),
        RULES_TEST(threads_that_meet_a_policy_first_see_the_same_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
