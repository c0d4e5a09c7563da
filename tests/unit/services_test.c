/* The registry: read from a file, compiled into the image, asked by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/cache.h"
#include "config/rules.h"
#include "config_fixture.h"

static char text[512];
static char heard[1024];

static void listen(const char *sentence)
{
    snprintf(heard, sizeof heard, "%s", sentence);
}

static void unlink_cache(const struct config_fixture *fixture)
{
    char path[CACHE_PATH_MOST];
    struct source_paths *paths = malloc(sizeof *paths);
    assert_return_code(source_find(&fixture->request, paths), 0);
    cache_path(paths, &fixture->request, path);
    unlink(path);
    free(paths);
}

static const struct rules *open_rules(struct config_fixture *fixture, const char *config)
{
    const struct rules *rules;
    config_write(fixture, "main.cfg", config);
    fixture->request.named = fixture->path;
    unlink_cache(fixture);
    int result = rules_open_for(&rules, &fixture->request, "prog", true, text, sizeof text);
    if (result < 0)
        print_message("%s\n", text);
    assert_return_code(result, 0);
    return rules;
}

static const struct rules_service *find(const struct rules *rules, const char *name)
{
    return rules_service(rules, name, strlen(name));
}

static bool match(const struct rules *rules, const char *host, uint16_t port, struct rules_match *out)
{
    struct place place;
    struct rules_query query = {.place = &place, .method = 1, .path = "/", .path_length = 1};
    assert_true(place_from_host(&place, host, strlen(host), port));
    return rules_find(rules, &query, out);
}

static void a_service_is_found_by_its_name_with_its_settings(void **state)
{
    const struct rules *rules =
        open_rules(*state, "services = (\n"
                           "{ name = \"User-Service\"; url = \"http://localhost:8001/api/v1\";\n"
                           "  prefix = true; credentials = true; host = \"asked\";\n"
                           "  health = { path = \"/up\"; type = \"tls\"; interval = \"5s\";\n"
                           "             timeout = \"1s\"; failures = 7; }; },\n"
                           "{ name = \"plain\"; urls = [\"http://10.0.0.5\", \"https://[::1]:8443\"]; },\n"
                           "{ name = \"short\"; url = \"tcp://db:5432\"; health = \"/ready\"; }\n"
                           ");\n");
    const struct rules_service *service = find(rules, "user-service");
    assert_non_null(service);
    assert_ptr_equal(service, find(rules, "user-service"));
    assert_ptr_equal(service, rules_service_at(rules, 0));
    assert_string_equal(service->name, "user-service");
    assert_int_equal(service->url_count, 1);
    assert_string_equal(service->urls[0].place.name, "localhost");
    assert_int_equal(service->urls[0].place.port, 8001);
    assert_memory_equal(service->urls[0].path, "/api/v1", service->urls[0].path_length);
    assert_int_equal(service->settings->prefix + service->settings->credentials, 2);
    assert_int_equal(service->settings->host, SETTINGS_HOST_ASKED);
    assert_true(service->has_health);
    assert_string_equal(service->health_path, "/up");
    assert_int_equal(service->settings->health_type, SETTINGS_HEALTH_TLS);
    assert_int_equal(service->settings->health_interval_ms, 5000);
    assert_int_equal(service->settings->health_timeout_ms, 1000);
    assert_int_equal(service->settings->health_failures, 7);

    service = find(rules, "plain");
    assert_int_equal(service->url_count, 2);
    assert_int_equal(service->urls[1].scheme, ENDPOINT_HTTPS);
    assert_int_equal(service->settings->prefix + service->settings->credentials, 0);
    assert_int_equal(service->settings->host, SETTINGS_HOST_SERVICE);
    assert_false(service->has_health);
    assert_int_equal(service->settings->health_interval_ms, 30000);
    assert_int_equal(service->settings->health_failures, 3);
    assert_string_equal(find(rules, "short")->health_path, "/ready");
    assert_true(find(rules, "short")->has_health);
    assert_null(find(rules, "user-servic"));
    assert_null(find(rules, "user-service2"));
    assert_int_equal(rules_service_count(rules), 3);
    assert_null(rules_service_at(rules, 3));
    rules_close(rules);
}

static void templates_are_expanded_in_the_process(void **state)
{
    setenv("WHERE", "10.1.2.3", 1);
    const struct rules *rules =
        open_rules(*state, "services = ( { name = \"s\"; prefix = \"${PREFIX:-true}\";\n"
                           " url = \"${PROTOCOL:-http}://${WHERE:-localhost}:${PORT:-8001}\";\n"
                           " health = { path = \"${HEALTH:-/up}\"; interval = \"${EVERY:-2s}\"; }; } );\n");
    const struct rules_service *service = find(rules, "s");
    assert_string_equal(service->urls[0].place.name, "10.1.2.3");
    assert_int_equal(service->urls[0].place.port, 8001);
    assert_int_equal(service->settings->prefix, 1);
    assert_string_equal(service->health_path, "/up");
    assert_int_equal(service->settings->health_interval_ms, 2000);
    rules_close(rules);

    setenv("WHERE", "10.9.9.9", 1); /* the same image, another process */
    setenv("EVERY", "9s", 1);
    struct config_fixture *fixture = *state;
    assert_return_code(rules_open_for(&rules, &fixture->request, "prog", false, text, sizeof text), 0);
    assert_string_equal(find(rules, "s")->urls[0].place.name, "10.9.9.9");
    assert_int_equal(find(rules, "s")->settings->health_interval_ms, 9000);
    rules_close(rules);
    unsetenv("WHERE");
    unsetenv("EVERY");
}

static void an_address_that_does_not_expand_is_left_out_and_told(void **state)
{
    setenv("WHERE", "localhost", 1);
    const struct rules *rules = open_rules(
        *state, "services = ( { name = \"s\"; urls = [\"http://${WHERE}:1\", \"http://10.0.0.1:2\"]; } );\n");
    rules_close(rules);
    unsetenv("WHERE");
    struct config_fixture *fixture = *state;
    assert_return_code(rules_open_for(&rules, &fixture->request, "prog", false, text, sizeof text), 0);
    const struct rules_service *service = find(rules, "s");
    assert_int_equal(service->url_count, 1);
    assert_string_equal(service->urls[0].place.name, "10.0.0.1");
    assert_non_null(strstr(heard, "service s: an address is left out: "));
    assert_non_null(strstr(heard, "WHERE"));
    rules_close(rules);
}

static void a_service_with_a_policy_is_a_rule_for_its_name(void **state)
{
    struct rules_match found;
    const struct rules *rules =
        open_rules(*state, "hosts = ( { match = \"*\"; policy = \"external\"; },\n"
                           "  { match = \"b\"; policy = \"network\"; },\n"
                           "  { match = \"c:5432\"; policy = \"database\"; } );\n"
                           "services = ( { name = \"a\"; url = \"http://x\"; policy = \"quick\"; },\n"
                           "  { name = \"b\"; url = \"http://x\"; policy = \"quick\"; },\n"
                           "  { name = \"c\"; url = \"http://x\"; policy = \"quick\"; },\n"
                           "  { name = \"d\"; url = \"http://x\"; } );\n");
    assert_true(match(rules, "a", 80, &found));
    assert_string_equal(found.policy->name, "quick");
    assert_true(match(rules, "b", 80, &found)); /* a rule of hosts says as much */
    assert_string_equal(found.policy->name, "network");
    assert_true(match(rules, "c", 5432, &found)); /* and here more */
    assert_string_equal(found.policy->name, "database");
    assert_true(match(rules, "c", 80, &found));
    assert_string_equal(found.policy->name, "quick");
    assert_true(match(rules, "d", 80, &found));
    assert_string_equal(found.policy->name, "external");
    rules_close(rules);
}

static void a_service_that_no_rule_means_has_a_policy_that_applies_nothing(void **state)
{
    struct rules_match found;
    const struct rules *rules =
        open_rules(*state, "mode = \"shadow\"; services = ( { name = \"a\"; url = \"http://x\"; } );\n");
    assert_true(match(rules, "a", 80, &found));
    assert_int_equal(found.policy->settings->groups, 0);
    assert_int_equal(found.mode, POLICY_SHADOW);
    assert_false(match(rules, "b", 80, &found));
    rules_close(rules);
}

static void many_services_are_all_found(void **state)
{
    size_t size = 1 << 20, length = 0;
    char *config = malloc(size), name[32];
    length += (size_t)snprintf(config, size, "services = (");
    for (int i = 0; i < 2000; i++)
        length += (size_t)snprintf(config + length, size - length,
                                   "%s{ name = \"s%d\"; url = \"http://h:%d\"; }", i ? "," : "", i, i + 1);
    snprintf(config + length, size - length, ");\n");
    const struct rules *rules = open_rules(*state, config);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_non_null(find(rules, name));
        assert_int_equal(find(rules, name)->urls[0].place.port, i + 1);
    }
    assert_null(find(rules, "s2000"));
    rules_close(rules);
    free(config);
}

static void faults_say_where_what_and_what_was_expected(void **state)
{
    struct config_fixture *fixture = *state;
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"services = 5;",                                                                            "1: services: found 5, expected a list ( { name = …; url = …; }, { … } )"},
        {"services = ( 5 );",                                                                        "1: services: expected groups { name = …; url = …; } in the list"          },
        {"services = (\n{ url = \"http://a\"; } );",
         "2: services: found no name, expected a host's name without port, such as \"user-service\""                                                                                },
        {"services = (\n{ name = \"a:80\";\n url = \"http://a\"; } );",
         "2: name: found \"a:80\", expected a host's name without port, such as \"user-service\""                                                                                   },
        {"services = (\n{ name = \"10.0.0.1\";\n url = \"http://a\"; } );",
         "2: name: found \"10.0.0.1\", expected a host's name without port, such as \"user-service\""                                                                               },
        {"services = (\n{ name = \"*.a\";\n url = \"http://a\"; } );",
         "2: name: found \"*.a\", expected a host's name without port, such as \"user-service\""                                                                                    },
        {"services = (\n{ name = \"a\"; } );",
         "2: services: found neither url nor urls, expected url = \"http://…\""                                                                                                   },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n urls = [\"http://b\"]; } );",
         "3: urls: url stands there as well; expected one of them"                                                                                                                  },
        {"services = (\n{ name = \"a\"; urls = []; } );",                                            "2: urls: found 0 addresses, expected 1 to 16"                                 },
        {"services = (\n{ name = \"a\";\n url = 5; } );",
         "3: url: found 5, expected a string such as \"http://localhost:8001\""                                                                                                     },
        {"services = (\n{ name = \"a\";\n url = \"localhost:80\"; } );",
         "3: url: found \"localhost:80\", expected an address such as \"http://localhost:8001\", "
         "\"tcp://10.0.0.5:5432\" or \"srv:_http._tcp.users.internal\""                                                                                                             },
        {"services = (\n{ name = \"a\";\n url = \"http://u:hidden@h\"; } );",
         "3: url: expected no user or password in it; headers of the policy can carry credentials"                                                                                  },
        {"services = (\n{ name = \"a\";\n url = \"http://${1x}\"; } );",
         "3: url: ${1x} is no variable; expected ${NAME}, ${NAME:-default} or ${file:/path}"                                                                                        },
        {"services = (\n{ name = \"a\";\n url = \"http://${NOT_SET_AT_ALL:-a b}\"; } );",
         "3: url: what is expanded from \"http://${NOT_SET_AT_ALL:-a b}\", expected a host's name or address "
         "behind the //"                                                                                                                                                            },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n policy = \"quik\"; } );",
         "3: policy: unknown policy \"quik\", did you mean \"quick\"?"                                                                                                              },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n prefx = true; } );",
         "3: unknown key 'prefx', did you mean 'prefix'?"                                                                                                                           },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n retry = { attempts = 3; }; } );",
         "3: unknown key 'retry' here; it belongs into a policy or a rule of hosts"                                                                                                 },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n host = \"mine\"; } );",
         "3: host: found \"mine\", expected one of service, asked"                                                                                                                  },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n health = 5; } );",
         "3: health: found 5, expected a group { … }"                                                                                                                             },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n health = \"up\"; } );",
         "3: health.path: found \"up\", expected a path such as \"/health\", of at most 255 bytes"                                                                                  },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n health = { type = \"udp\"; }; } );",
         "3: health.type: found \"udp\", expected one of http, tcp, tls"                                                                                                            },
        {"services = (\n{ name = \"a\"; url = \"http://a\";\n health = { interval = \"5\"; }; } );",
         "3: health.interval: found \"5\", expected a duration with a unit such as \"5s\", from 1s to 24h"                                                                          },
        {"prefix = true; services = ( { name = \"a\"; url = \"http://a\"; } );",
         "1: unknown key 'prefix' here; it belongs into a service"                                                                                                                  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        config_expect(fixture, cases[i].text, cases[i].fault);
}

static void all_faults_of_all_services_come_in_one_run(void **state)
{
    struct config_fixture *fixture = *state;
    config_read(fixture, "services = (\n"
                         "{ name = \"a\"; url = \"x\"; prefix = 5; },\n"
                         "{ name = \"A\"; url = \"http://x\"; policy = \"none\"; helth = \"/\"; },\n"
                         "{ name = \"b\"; urls = [\"y\", \"http://z:0\"]; }\n"
                         ");\n");
    assert_int_equal(fixture->faults.errors, 7);
    config_read(fixture, "services = (\n"
                         "{ name = \"a\"; url = \"http://x\"; },\n"
                         "{ name = \"A\"; url = \"http://x\"; } );\n");
    char expected[512], found[512];
    assert_int_equal(fixture->faults.errors, 1);
    fault_print(&fixture->faults.items[0], found, sizeof found);
    snprintf(expected, sizeof expected, "%s:3: name: the service \"a\" stands at %s:2 already", fixture->path,
             fixture->path);
    assert_string_equal(found, expected);
}

static void settings_of_services_are_not_given_by_set(void **state)
{
    struct config_fixture *fixture = *state;
    fixture->request.set = "prefix=true";
    config_read(fixture, "services = ( { name = \"a\"; url = \"http://a\"; } );");
    assert_int_equal(fixture->faults.errors, 1);
    assert_string_equal(fixture->faults.items[0].text,
                        "prefix: settings of services cannot be given by GUSSET_SET");
    fixture->request.set = NULL;
}

static int services_teardown(void **state)
{
    struct config_fixture *fixture = *state;
    if (fixture->request.named)
        unlink_cache(fixture);
    rules_listen(NULL);
    return config_teardown(state);
}

static int services_setup(void **state)
{
    rules_listen(listen);
    return config_setup(state);
}

#define SERVICES_TEST(name) cmocka_unit_test_setup_teardown(name, services_setup, services_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICES_TEST(a_service_is_found_by_its_name_with_its_settings),
        SERVICES_TEST(templates_are_expanded_in_the_process),
        SERVICES_TEST(an_address_that_does_not_expand_is_left_out_and_told),
        SERVICES_TEST(a_service_with_a_policy_is_a_rule_for_its_name),
        SERVICES_TEST(a_service_that_no_rule_means_has_a_policy_that_applies_nothing),
        SERVICES_TEST(many_services_are_all_found),
        SERVICES_TEST(faults_say_where_what_and_what_was_expected),
        SERVICES_TEST(all_faults_of_all_services_come_in_one_run),
        SERVICES_TEST(settings_of_services_are_not_given_by_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
