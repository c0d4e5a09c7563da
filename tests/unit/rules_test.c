#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "config/cache.h"
#include "config/rules.h"
#include "config/wish.h"
#include "config_fixture.h"
#include "core/method.h"

static char text[512];
static char heard[4][256];
static unsigned sentences;

static void listen(const char *sentence)
{
    if (sentences < 4)
        snprintf(heard[sentences], sizeof heard[0], "%s", sentence);
    sentences++;
}

static const char *cached(const struct config_fixture *fixture)
{
    static char path[CACHE_PATH_MOST];
    struct source_paths *paths = malloc(sizeof *paths);
    assert_return_code(source_find(&fixture->request, paths), 0);
    cache_path(paths, &fixture->request, path);
    free(paths);
    return path;
}

static const struct rules *open_rules(struct config_fixture *fixture)
{
    const struct rules *rules;
    int result = rules_open_for(&rules, &fixture->request, "prog", true, text, sizeof text);
    if (result < 0)
        print_message("%s\n", text);
    assert_return_code(result, 0);
    return rules;
}

static const struct rules *write_and_open(struct config_fixture *fixture, const char *config)
{
    config_write(fixture, "main.cfg", config);
    fixture->request.named = fixture->path;
    unlink(cached(fixture));
    return open_rules(fixture);
}

static bool find(const struct rules *rules, const char *host, struct rules_match *match)
{
    struct place place;
    struct rules_query query = {&place, METHOD_GET, "/", 1};
    assert_true(place_from_host(&place, host, strlen(host), 443));
    return rules_find(rules, &query, match);
}

static int rules_teardown(void **state)
{
    unlink(cached(*state));
    rules_listen(NULL);
    return config_teardown(state);
}

static int rules_setup(void **state)
{
    sentences = 0;
    rules_listen(listen);
    return config_setup(state);
}

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

#define RULES_TEST(name) cmocka_unit_test_setup_teardown(name, rules_setup, rules_teardown)

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
        RULES_TEST(without_leave_to_compile_a_missing_image_is_stale),
        RULES_TEST(a_faulty_file_gives_its_first_fault_and_how_many_follow),
        RULES_TEST(a_changed_file_makes_rules_stale_and_new_ones_follow),
        RULES_TEST(an_image_is_opened_only_when_it_is_ours_alone),
        RULES_TEST(a_damaged_image_is_made_anew),
        RULES_TEST(rules_work_where_the_image_cannot_be_written),
        RULES_TEST(templates_are_expanded_in_this_process_once_a_policy),
        RULES_TEST(variants_are_drawn_by_what_the_context_has),
        RULES_TEST(a_ramp_counts_from_when_the_file_was_changed),
        RULES_TEST(an_unfit_expansion_leaves_the_default_and_is_said_once),
        RULES_TEST(threads_that_meet_a_policy_first_see_the_same_one),
        RULES_TEST(the_environment_is_where_the_request_comes_from),
        RULES_TEST(images_that_nobody_used_for_a_day_go_when_one_is_written),
        RULES_TEST(an_assumed_policy_gives_way_to_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
