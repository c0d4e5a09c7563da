#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>

#include "config/compile.h"
#include "config/image.h"
#include "config/order.h"
#include "config/search.h"
#include "config_fixture.h"
#include "core/method.h"

struct built {
    void *bytes;
    size_t size;
    struct image image;
};

static struct built build(struct config_fixture *fixture, const char *text)
{
    struct built built;
    struct source_paths *paths = malloc(sizeof *paths);
    assert_return_code(config_read(fixture, text), 0);
    assert_return_code(source_find(&fixture->request, paths), 0);
    assert_return_code(compile_image(&fixture->model, paths, &fixture->request, &built.bytes, &built.size),
                       0);
    assert_return_code(image_attach(&built.image, built.bytes, built.size), 0);
    assert_true(image_answers(&built.image, paths, &fixture->request));
    free(paths);
    return built;
}

static struct place make_place(const char *host, uint16_t port)
{
    struct place place;
    if (host[0] == '/')
        assert_true(place_from_path(&place, host, strlen(host)));
    else
        assert_true(place_from_host(&place, host, strlen(host), port));
    return place;
}

/* The number of the rule that wins, -1 for none. */
static int find(const struct built *built, const char *host, uint16_t port, uint32_t method, const char *path,
                const char *program)
{
    struct place place = make_place(host, port);
    struct rules_query query = {&place, method, path, path ? strlen(path) : 0};
    const struct image_rule *rule = search_rule(&built->image, &query, program);
    return rule ? (int)rule->origin : -1;
}

static void names_come_before_suffixes_before_networks_before_any(void **state)
{
    struct built built = build(*state, "hosts = (\n"
                                       "{ match = \"*\"; policy = \"quick\"; },\n"             /* 0 */
                                       "{ match = \"*.example.com\"; policy = \"quick\"; },\n" /* 1 */
                                       "{ match = \"*.com\"; policy = \"quick\"; },\n"         /* 2 */
                                       "{ match = \"api.example.com\"; policy = \"quick\"; },\n"
                                       "{ match = \"10.0.0.0/8\"; policy = \"quick\"; },\n" /* 4 */
                                       "{ match = \"10.1.0.0/16\"; policy = \"quick\"; },\n"
                                       "{ match = \"10.1.2.3\"; policy = \"quick\"; },\n" /* 6 */
                                       "{ match = \"[2001:db8::]/32\"; policy = \"quick\"; },\n"
                                       "{ match = \"unix:/run/x\"; policy = \"quick\"; },\n" /* 8 */
                                       "{ match = \"com\"; policy = \"quick\"; },\n"
                                       "{ match = \"*.a.b.example.com\"; policy = \"quick\"; });"); /* 10 */
    static const struct {
        const char *host;
        int rule;
    } cases[] = {
        {"api.example.com",   3 },
        {"API.Example.COM.",  3 },
        {"x.api.example.com", 1 },
        {"example.com",       2 },
        {"x.y.z.example.com", 1 },
        {"q.a.b.example.com", 10},
        {"a.b.example.com",   1 },
        {"com",               9 },
        {"org",               0 },
        {"xexample.com",      2 },
        {"10.9.9.9",          4 },
        {"10.1.9.9",          5 },
        {"10.1.2.3",          6 },
        {"11.0.0.1",          0 },
        {"[2001:db8::1]",     7 },
        {"2001:db9::1",       0 },
        {"/run/x",            8 },
        {"/run/y",            -1},
        {"::ffff:10.1.2.3",   6 }
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (find(&built, cases[i].host, 443, METHOD_GET, "/", "p") != cases[i].rule)
            print_message("%s\n", cases[i].host);
        assert_int_equal(find(&built, cases[i].host, 443, METHOD_GET, "/", "p"), cases[i].rule);
    }
    assert_true(built.image.header->has_unix);
    munmap(built.bytes, built.size);
}

static void filters_decide_among_rules_of_one_pattern(void **state)
{
    struct built built =
        build(*state, "hosts = (\n"
                      "{ match = \"a.b\"; policy = \"quick\"; },\n" /* 0 */
                      "{ match = \"a.b:80\"; policy = \"quick\"; },\n"
                      "{ match = \"a.b\"; paths = [\"/v1*\"]; policy = \"quick\"; },\n" /* 2 */
                      "{ match = \"a.b\"; paths = [\"/v1/search*\", \"/v2/*/x\"]; policy = \"quick\"; },\n"
                      "{ match = \"a.b\"; paths = [\"/v1/search\"]; policy = \"quick\"; },\n" /* 4 */
                      "{ match = \"a.b\"; methods = [\"PUT\"]; policy = \"quick\"; },\n"
                      "{ match = \"a.b\"; methods = [\"PUT\", \"POST\"]; policy = \"quick\"; },\n" /* 6 */
                      "{ match = \"a.b\"; programs = [\"psql\"]; policy = \"quick\"; });");
    assert_int_equal(find(&built, "a.b", 80, METHOD_PUT, "/v1/search", "psql"), 1);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/v1/search", "x"), 4);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/v1/searching", "x"), 3);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/v1/s", "x"), 2);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/v2/a/b/x", "x"), 3);
    assert_int_equal(find(&built, "a.b", 443, METHOD_PUT, "/q", "x"), 5);
    assert_int_equal(find(&built, "a.b", 443, METHOD_POST, "/q", "x"), 6);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/q", "psql"), 7);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/q", "x"), 0);
    assert_int_equal(find(&built, "a.b", 443, 0, NULL, "x"), 0); /* the connect door: no path, no method */
    assert_int_equal(find(&built, "a.b", 443, 0, NULL, "psql"), 7);
    munmap(built.bytes, built.size);
}

static void a_rule_whose_filters_refuse_lets_less_specific_ones_speak(void **state)
{
    struct built built =
        build(*state, "hosts = (\n"
                      "{ match = \"a.b:80\"; policy = \"quick\"; },\n"
                      "{ match = \"*.b\"; methods = [\"PUT\"]; policy = \"quick\"; },\n"
                      "{ match = \"10.0.0.0/24\"; programs = [\"x\"]; policy = \"quick\"; },\n"
                      "{ match = \"10.0.0.0/8\"; policy = \"quick\"; },\n"
                      "{ match = \"*:443\"; policy = \"quick\"; });");
    assert_int_equal(find(&built, "a.b", 80, METHOD_GET, "/", "y"), 0);
    assert_int_equal(find(&built, "a.b", 443, METHOD_PUT, "/", "y"), 1);
    assert_int_equal(find(&built, "a.b", 443, METHOD_GET, "/", "y"), 4);
    assert_int_equal(find(&built, "a.b", 444, METHOD_GET, "/", "y"), -1);
    assert_int_equal(find(&built, "10.0.0.1", 444, METHOD_GET, "/", "x"), 2);
    assert_int_equal(find(&built, "10.0.0.1", 444, METHOD_GET, "/", "y"), 3);
    munmap(built.bytes, built.size);
}

/* The index must say what a walk over all patterns says. */
static void the_index_agrees_with_a_plain_walk(void **state)
{
    struct config_fixture *fixture = *state;
    static const char *const labels[] = {"a", "b", "cc", "com"};
    size_t size = 1 << 20, length = 0;
    char *text = malloc(size);
    char(*seen)[64] = calloc(600, sizeof *seen);
    unsigned count = 0;

    srand(7);
    length += (size_t)snprintf(text, size, "hosts = (\n");
    while (count < 500) {
        char match[64] = "";
        unsigned kind = (unsigned)rand() % 3, parts = 1 + (unsigned)rand() % 4;
        size_t at = kind == 0 ? (size_t)snprintf(match, sizeof match, "*") : 0;
        for (unsigned i = 0; kind < 2 && i < parts; i++)
            at += (size_t)snprintf(match + at, sizeof match - at, "%s%s%d", at ? "." : "", labels[rand() % 4],
                                   rand() % 3);
        if (kind == 2)
            snprintf(match, sizeof match, "%u.0.0.0/%u", 16u * ((unsigned)rand() % 8),
                     4 + (unsigned)rand() % 8);
        bool known = false;
        for (unsigned i = 0; i < count; i++)
            known |= strcmp(seen[i], match) == 0;
        if (known)
            continue;
        strcpy(seen[count], match);
        length += (size_t)snprintf(text + length, size - length,
                                   "%s{ match = \"%s\"; policy = \"quick\"; }\n", count ? "," : "", match);
        count++;
    }
    snprintf(text + length, size - length, ");\n");
    struct built built = build(fixture, text);

    for (int i = 0; i < 20000; i++) {
        char host[64] = "";
        size_t at = 0;
        for (int part = 0, parts = 1 + rand() % 5; part < parts; part++)
            at += (size_t)snprintf(host + at, sizeof host - at, "%s%s%d", at ? "." : "", labels[rand() % 4],
                                   rand() % 3);
        if (i % 4 == 0)
            snprintf(host, sizeof host, "%d.%d.0.1", rand() % 140, rand() % 256);
        struct place place = make_place(host, 80);
        int best = -1;
        struct pattern winner, pattern;
        for (unsigned rule = 0; rule < count; rule++) {
            assert_int_equal(pattern_parse(&pattern, seen[rule], strlen(seen[rule])), PATTERN_FINE);
            if (!pattern_matches(&pattern, &place) || (best >= 0 && pattern_compare(&pattern, &winner) <= 0))
                continue;
            best = (int)rule;
            winner = pattern;
        }
        assert_int_equal(find(&built, host, 80, METHOD_GET, "/", "x"), best);
    }
    munmap(built.bytes, built.size);
    free(seen);
    free(text);
}

static void an_expansion_of_today_does_not_lie_in_the_image(void **state)
{
    struct config_fixture *fixture = *state;
    setenv("GUSSET_TEST_SECRET", "s3cr3t-value", 1);
    setenv("GUSSET_TEST_TRIES", "77", 1);
    struct built built =
        build(fixture, "policies: { p: { retry: { attempts = \"${GUSSET_TEST_TRIES}\"; };\n"
                       " headers = ({ name = \"X\"; value = \"${GUSSET_TEST_SECRET}\"; }); }; };\n"
                       "hosts = ({ match = \"*\"; policy = \"p\"; });\n");
    assert_null(memmem(built.bytes, built.size, "s3cr3t-value", 12));
    assert_non_null(memmem(built.bytes, built.size, "${GUSSET_TEST_SECRET}", 21));
    assert_int_equal(image_policy(&built.image, 0)->retry.attempts, 3);
    assert_int_equal(image_policy(&built.image, 0)->patches_count, 1);
    munmap(built.bytes, built.size);
    unsetenv("GUSSET_TEST_SECRET");
    unsetenv("GUSSET_TEST_TRIES");
}

static void an_image_is_stale_when_a_source_changes_or_appears(void **state)
{
    struct config_fixture *fixture = *state;
    config_write(fixture, "inc.cfg", "mode = \"off\";\n");
    struct built built = build(fixture, "@include \"inc.cfg\"\nhosts = ();\n");
    assert_true(image_is_fresh(&built.image));
    config_write(fixture, "system.cfg", "");
    assert_false(image_is_fresh(&built.image));
    munmap(built.bytes, built.size);
    built = build(fixture, "@include \"inc.cfg\"\nhosts = ();\n");
    assert_true(image_is_fresh(&built.image));
    config_write(fixture, "inc.cfg", "mode = \"shadow\";\n");
    assert_false(image_is_fresh(&built.image));
    munmap(built.bytes, built.size);
}

static void a_damaged_header_is_refused(void **state)
{
    struct built built = build(*state, "hosts = ({ match = \"*\"; policy = \"quick\"; });");
    struct image image;
    for (size_t at = 0; at < sizeof(struct image_header); at++) {
        ((unsigned char *)built.bytes)[at] ^= 0x10;
        assert_int_equal(image_attach(&image, built.bytes, built.size), -EBADMSG);
        ((unsigned char *)built.bytes)[at] ^= 0x10;
    }
    assert_int_equal(image_attach(&image, built.bytes, built.size - 8), -EBADMSG);
    assert_int_equal(image_attach(&image, built.bytes, 16), -EBADMSG);
    assert_return_code(image_attach(&image, built.bytes, built.size), 0);
    munmap(built.bytes, built.size);
}

/* Run under ASan: whatever stands in the tables, no look-up leaves the image. */
static void a_damaged_table_gives_no_wild_access(void **state)
{
    struct built built = build(*state, "policies: { p: { limit: { rate = \"${R:-5}\"; }; headers = ({ name = "
                                       "\"A\"; value = \"b\"; }); }; };\n"
                                       "hosts = ({ match = \"*\"; policy = \"quick\"; }, { match = \"a.b\"; "
                                       "paths = [\"/x*\"]; programs = [\"q\"]; policy = \"p\"; },\n"
                                       "{ match = \"*.c\"; policy = \"p\"; }, { match = \"10.0.0.0/8\"; "
                                       "policy = \"p\"; }, { match = \"unix:/x\"; policy = \"p\"; });");
    unsigned char *heap = malloc(built.size); /* where ASan sees every byte past the end */
    static const char *const hosts[] = {"a.b", "x.c", "10.1.1.1", "/x", "zz"};
    srand(11);
    for (int round = 0; round < 3000; round++) {
        struct image image;
        memcpy(heap, built.bytes, built.size);
        for (int i = 0; i < 6; i++)
            heap[sizeof(struct image_header) +
                 (size_t)rand() % (built.size - sizeof(struct image_header) - 1)] = (unsigned char)rand();
        heap[built.size - 1] = 0;
        if (image_attach(&image, heap, built.size) < 0)
            continue;
        struct built damaged = {heap, built.size, image};
        for (unsigned i = 0; i < 5; i++)
            find(&damaged, hosts[i], 80, METHOD_GET, "/xy", "q");
    }
    free(heap);
    munmap(built.bytes, built.size);
}

static void globs_match_and_overlap(void **state)
{
    (void)state;
    assert_true(order_glob_matches("/v1*", "/v1", 3));
    assert_true(order_glob_matches("/v1*x*", "/v1abxcd", 8));
    assert_false(order_glob_matches("/v1", "/v1/", 4));
    assert_true(order_glob_matches("*", "", 0));
    assert_true(order_glob_matches("*/end", "/a/end/end", 10));
    assert_false(order_glob_matches("/a*b", "/axxc", 5));
    assert_true(order_globs_overlap("/a*b", "/ac*b"));
    assert_true(order_globs_overlap("*", "/x"));
    assert_false(order_globs_overlap("/a*b", "/a*c"));
    assert_true(order_globs_overlap("/a*c*", "/a*b*"));
    assert_false(order_globs_overlap("/a", "/ab"));
    assert_true(order_globs_overlap("/a*", "/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(names_come_before_suffixes_before_networks_before_any),
        CONFIG_TEST(filters_decide_among_rules_of_one_pattern),
        CONFIG_TEST(a_rule_whose_filters_refuse_lets_less_specific_ones_speak),
        CONFIG_TEST(the_index_agrees_with_a_plain_walk),
        CONFIG_TEST(an_expansion_of_today_does_not_lie_in_the_image),
        CONFIG_TEST(an_image_is_stale_when_a_source_changes_or_appears),
        CONFIG_TEST(a_damaged_header_is_refused),
        CONFIG_TEST(a_damaged_table_gives_no_wild_access),
        cmocka_unit_test(globs_match_and_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
