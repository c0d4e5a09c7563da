/* What a rule may send as headers, and where check warns of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_fixture.h"

static void no_rule_sets_a_header_that_frames_a_message_or_is_of_one_connection(void **state)
{
    static const char *const names[] = {
        "Content-Length", "content-length",   "Transfer-Encoding",   "TE",     "Trailer",        "Connection",
        "Keep-Alive",     "Proxy-Connection", "Proxy-Authorization", "Expect", "HTTP2-Settings", "UPGRADE",
    };
    char text[256], fault[256];

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(
            text, sizeof text,
            IN("headers = ({ name = \"X\"; value = \"1\"; },\n { name = \"%s\"; value = \"hunter2\"; });"),
            names[i]);
        snprintf(
            fault, sizeof fault,
            "3: headers: name: found \"%s\", which libcurl writes as the message or its connection needs, "
            "expected another header's",
            names[i]);
        config_expect(*state, text, fault);
    }
}

static void the_header_that_tells_the_deadline_is_none_of_these_either(void **state)
{
    static const char fault[] =
        "2: timeout.header: found \"Content-Length\", expected a header's name such as "
        "\"X-Request-Deadline-Ms\"";
    config_expect(*state, IN("timeout: { header = \"Content-Length\"; };"), fault);
}

static void headers_that_only_resemble_these_are_a_rules_to_set(void **state)
{
    struct config_fixture *fixture = *state;
    static const char *const names[] = {"Host", "Content-Type",   "Content-Lengths", "X-TE",
                                        "T",    "Accept-Encoding"};
    char text[256];

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text, IN("headers = ({ name = \"%s\"; value = \"5\"; });"), names[i]);
        assert_return_code(config_read(fixture, text), 0);
        assert_int_equal(fixture->faults.count, 0);
    }
}

#define EVERYWHERE(headers)                                                                                  \
    "policies: { p: { headers = (" headers "); }; };\nhosts = ({ match = \"*\"; policy = \"p\"; });\n"
/* With another policy beside p, which has a header that is likely a secret, and what the rule says. */
#define KEYED(other, says)                                                                                   \
    ("policies: { p: { headers = ({ name = \"X-Key\"; value = \"${HOME}\"; }); }; " other " };\n"            \
     "hosts = ({ match = \"*\"; " says " });\n")
#define LEARN ": third parties learn its value"

static void a_secret_for_every_host_is_warned_of_by_the_headers_name(void **state)
{
    static const char *const rules[] = {
        EVERYWHERE(
            "{ name = \"X-Via\"; value = \"me\"; }, { name = \"X-Key\"; value = \"${file:/etc/passwd}\"; }"),
        EVERYWHERE("{ name = \"X-Key\"; value = \"Bearer ${HOME}\"; }"),
        EVERYWHERE("{ name = \"X-Key\"; value = \"${program} ${HOME:-none}\"; }"),
        KEYED("q: { extends = \"p\"; };",
              "variants = ({ weight = 1; policy = \"quick\"; }, { weight = 1; policy = \"q\"; });"),
        KEYED("", "policy = \"p\"; retry: { attempts = 2; };"),
    };

    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
        config_expect(*state, rules[i], "2: warning: match \"*\" with the header X-Key" LEARN);
    config_expect(*state, EVERYWHERE("{ name = \"authorization\"; value = \"Bearer hunter2\"; }"),
                  "2: warning: match \"*\" with the header authorization" LEARN);
}

static void what_is_no_secret_or_goes_to_hosts_that_are_named_is_not(void **state)
{
    struct config_fixture *fixture = *state;
    static const char *const rules[] = {
        EVERYWHERE("{ name = \"X-Via\"; value = \"me\"; }"),
        EVERYWHERE("{ name = \"User-Agent\"; value = \"gusset/${program} of ${user}\"; }"),
        IN("headers = ({ name = \"X-Key\"; value = \"${HOME}\"; });"),
        KEYED("", "policy = \"p\"; headers = ();"),
    };

    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++) {
        assert_return_code(config_read(fixture, rules[i]), 0);
        assert_int_equal(fixture->faults.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(no_rule_sets_a_header_that_frames_a_message_or_is_of_one_connection),
        CONFIG_TEST(the_header_that_tells_the_deadline_is_none_of_these_either),
        CONFIG_TEST(headers_that_only_resemble_these_are_a_rules_to_set),
        CONFIG_TEST(a_secret_for_every_host_is_warned_of_by_the_headers_name),
        CONFIG_TEST(what_is_no_secret_or_goes_to_hosts_that_are_named_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
