/* The rules of a configuration, compiled and opened; what is said of them is heard. */
#ifndef GUSSET_TESTS_RULES_FIXTURE_H
#define GUSSET_TESTS_RULES_FIXTURE_H

#include "config/cache.h"
#include "config/rules.h"
#include "config_fixture.h"
#include "core/method.h"

static char text[512];
static char heard[4][256];
static unsigned sentences;

static inline void listen(const char *sentence)
{
    if (sentences < 4)
        snprintf(heard[sentences], sizeof heard[0], "%s", sentence);
    sentences++;
}

static inline const char *cached(const struct config_fixture *fixture)
{
    static char path[CACHE_PATH_MOST];
    struct source_paths *paths = malloc(sizeof *paths);
    assert_return_code(source_find(&fixture->request, paths), 0);
    cache_path(paths, &fixture->request, path);
    free(paths);
    return path;
}

static inline const struct rules *open_rules(struct config_fixture *fixture)
{
    const struct rules *rules;
    int result = rules_open_for(&rules, &fixture->request, "prog", true, text, sizeof text);
    if (result < 0)
        print_message("%s\n", text);
    assert_return_code(result, 0);
    return rules;
}

static inline const struct rules *write_and_open(struct config_fixture *fixture, const char *config)
{
    config_write(fixture, "main.cfg", config);
    fixture->request.named = fixture->path;
    unlink(cached(fixture));
    return open_rules(fixture);
}

static inline bool find(const struct rules *rules, const char *host, struct rules_match *match)
{
    struct place place;
    struct rules_query query = {&place, METHOD_GET, "/", 1};
    assert_true(place_from_host(&place, host, strlen(host), 443));
    return rules_find(rules, &query, match);
}

static inline int rules_teardown(void **state)
{
    unlink(cached(*state));
    rules_listen(NULL);
    return config_teardown(state);
}

static inline int rules_setup(void **state)
{
    sentences = 0;
    rules_listen(listen);
    return config_setup(state);
}

#define RULES_TEST(name) cmocka_unit_test_setup_teardown(name, rules_setup, rules_teardown)

#endif
