#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "config/policies.h"
#include "config_fixture.h"

struct fault_case {
    const char *text, *fault;
};

static void each_fault_names_line_finding_and_expectation(void **state)
{
    static const struct fault_case cases[] = {
        {"version = 2;\n" RULE "policies: { p: { }; };",                                   "1: version: found 2, expected a whole number: 1"                               },
        {"polices: { };\nhosts = ();",                                                     "1: unknown key 'polices', did you mean 'policies'?"                            },
        {"retry: { };\nhosts = ();",
         "1: unknown key 'retry' here; it belongs into a policy or a rule of hosts"                                                                                        },
        {"log = 5;\nhosts = ();",                                                          "1: log: found 5, expected a group { … }"                                     },
        {"log: { target = \"tmp/x\"; };\nhosts = ();",                                     "1: log.target: found \"tmp/x\", expected \"stderr\", "
                                                       "\"syslog\" or an absolute path of at most 255 bytes"         },
        {"state: { path = \"x\"; };\nhosts = ();",
         "1: state.path: found \"x\", expected an absolute path of at most 255 bytes, or nothing"                                                                          },
        {"state: { hosts = 63; };\nhosts = ();",
         "1: state.hosts: found 63, expected a whole number from 64 to 1048576"                                                                                            },
        {"context: { tenant_id = \"a\\r\\nb\"; };\nhosts = ();",
         "1: context.tenant_id: found \"a\\x0d\\x0ab\", expected text without control characters"                                                                          },
        {"mode = true;\nhosts = ();",                                                      "1: mode: found true, expected one of enforce, shadow, off"                     },
        {"policies = ();\nhosts = ();",                                                    "1: policies: found a list ( … ), expected a group { name: { … }; }"        },
        {"policies: { p = 5; };\n" RULE,                                                   "1: policies: \"p\" is no group, expected { … }"                              },
        {IN("timeout: { connect = 5; };"),
         "2: timeout.connect: found 5, expected a duration with a unit such as \"5s\", from 0s to 168h"                                                                    },
        {IN("timeout: { connect = \"5\"; };"),
         "2: timeout.connect: found \"5\", expected a duration with a unit such as \"5s\", from 0s to 168h"                                                                },
        {IN("timeout: { connect = \"200h\"; };"),                                          "2: timeout.connect: found \"200h\", expected a duration "
                                                  "with a unit such as \"5s\", from 0s to 168h"                           },
        {IN("timout: { };"),                                                               "2: unknown key 'timout', did you mean 'timeout'?"                              },
        {IN("retry: { backoff: { cpa = \"5s\"; }; };"),
         "2: unknown key 'retry.backoff.cpa', did you mean 'retry.backoff.cap'?"                                                                                           },
        {IN("retry: { attempts = \"3\"; };"),
         "2: retry.attempts: found \"3\", expected a whole number from 1 to 100"                                                                                           },
        {IN("retry: { attempts = 2.5; };"),
         "2: retry.attempts: found 2.5, expected a whole number from 1 to 100"                                                                                             },
        {IN("retry: { attempts = -1; };"),
         "2: retry.attempts: found -1, expected a whole number from 1 to 100"                                                                                              },
        {IN("retry: { attempts = 4294967299; };"),
         "2: retry.attempts: found 4294967299, expected a whole number from 1 to 100"                                                                                      },
        {IN("retry: { attempts = 0x100000003; };"),
         "2: retry.attempts: found 4294967299, expected a whole number from 1 to 100"                                                                                      },
        {IN("retry: { attempts = 3; retries = 2; };"),
         "2: retry.retries says the same as retry.attempts; expected one of them"                                                                                          },
        {IN("retry: { on = \"5xx\"; };"),                                                  "2: retry.on: found \"5xx\", expected a list of error types, "
                                          "CURLE_ names, statuses from 400 (\"503\") or classes (\"5xx\")"                        },
        {IN("retry: { on = [\"reset\", \"conect\"]; };"),
         "2: retry.on: found \"conect\", expected a list of error types, CURLE_ names, statuses from 400 "
         "(\"503\") or "
         "classes (\"5xx\")"                                                                                                                                               },
        {IN("retry: { on = [\n\"reset\",\n\"conect\",\n\"dns\"]; };"),
         "4: retry.on: found \"conect\", expected a list of error types, CURLE_ names, statuses from 400 "
         "(\"503\") or "
         "classes (\"5xx\")"                                                                                                                                               },
        {IN("retry: { methods = [\"get\"]; };"),
         "2: retry.methods: found \"get\", expected a list of HTTP methods in capitals"                                                                                    },
        {IN("retry: { backoff: { factor = 0.5; }; };"),
         "2: retry.backoff.factor: found 0.5, expected a decimal number from 1.0 to 100.0"                                                                                 },
        {IN("retry: { backoff: { base = \"6s\"; }; };"),
         "1: policy \"p\": retry.backoff.cap (5s) is shorter than retry.backoff.base (6s); say both"                                                                       },
        {IN("breaker: { open = \"10m\"; };"),
         "1: policy \"p\": breaker.open_cap (300s) is shorter than breaker.open (600s); say both"                                                                          },
        {IN("pool: { keepalive = 101; };"),
         "1: policy \"p\": pool.connections (100) is less than pool.keepalive (101); say both"                                                                             },
        {IN("pool: { keepalive = 0; };"),
         "2: pool.keepalive: found 0, expected a whole number from 1 to 10000"                                                                                             },
        {IN("bulkhead: { calls = 0; };"),
         "2: bulkhead.calls: found 0, expected a whole number from 1 to 10000"                                                                                             },
        {IN("bulkhead: { calls = \"ten\"; };"),
         "2: bulkhead.calls: found \"ten\", expected a whole number from 1 to 10000"                                                                                       },
        {IN("bulkhead: { wait = 5; };"),
         "2: bulkhead.wait: found 5, expected a duration with a unit such as \"5s\", from 0s to 1h"                                                                        },
        {IN("breaker: { rate: { percent = 101; }; };"),
         "2: breaker.rate.percent: found 101, expected a percentage from 0 to 100"                                                                                         },
        {IN("breaker: { rate = 50; };"),                                                   "2: breaker.rate: found 50, expected a group { … }"                           },
        {IN("propagate = [\"cookie\"];"),
         "2: propagate: found \"cookie\", expected a list of request_id, tenant_id, project_id, traceparent"                                                               },
        {IN("hedge: { after = \"p94\"; };"),
         "2: hedge.after: found \"p94\", expected a duration from 1ms with a unit such as \"200ms\", or one "
         "of p50, p75, p90, p95, p99"                                                                                                                                      },
        {IN("retry: { resume = 1; };"),                                                    "2: retry.resume: found 1, expected true or false"                              },
        {IN("breaker: { slow: { over = 1; }; };"),
         "2: breaker.slow.over: found 1, expected a duration with a unit such as \"5s\", from 0s to 1h"                                                                    },
        {IN("breaker: { slow: { percent = 0; }; };"),
         "2: breaker.slow.percent: found 0, expected a percentage from 0.01 to 100"                                                                                        },
        {IN("breaker: { reject = \"404\"; };"),
         "2: breaker.reject: found \"404\", expected one of error, 503, wait"                                                                                              },
        {IN("breaker: { reject = 429; };"),                                                "2: breaker.reject: found 429, expected one of error, 503, wait"                },
        {IN("limit: { reject = \"wait\"; };"),                                             "2: limit.reject: found \"wait\", expected one of error, 429"                   },
        {IN("extends = \"quik\";"),                                                        "2: extends: unknown policy \"quik\", did you mean \"quick\"?"                  },
        {IN("extends = \"zzzzzzzzzz\";"),
         "2: extends: unknown policy \"zzzzzzzzzz\", expected one of this file or a "
         "built-in one (standard, quick, expensive …)"                                                                                                                   },
        {IN("extends = \"${X}\";"),
         "2: extends: \"${X}\": ${…} does not work here, expected a policy's name as it is"                                                                              },
        {IN("extends = \"p\";"),                                                           "2: extends: \"p\" extends itself"                                              },
        {IN("limit: { key = \"${A\"; };"),                                                 "2: limit.key: ${A is not closed; expected ${NAME}"                             },
        {IN("limit: { rate = \"${GUSSET_TEST_NONE}\"; };"),
         "2: warning: limit.rate: the variable GUSSET_TEST_NONE is "
         "not set and has no default; without it the default holds"                                                                                                        },
        {IN("limit: { rate = \"${GUSSET_TEST_NONE:-x}\"; };"),
         "2: limit.rate: \"${GUSSET_TEST_NONE:-x}\" does not "
         "expand to a whole number from 1 to 1000000"                                                                                                                      },
        {IN("headers = ({ name = \"X y\"; value = \"secret\"; });"),
         "2: headers: name: found \"X y\", expected a header's name (letters, digits and !#$%&'*+-.^_`|~)"                                                                 },
        {IN("headers = ({ name = \"X\"; value = \"secret\\r\\nY: 1\"; });"),
         "2: headers: the value of X holds a control character (CR, LF …), expected none"                                                                                },
        {IN("headers = ({ name = \"X\"; value = 12345; });"),
         "2: headers: the value of X is no string, expected one"                                                                                                           },
        {IN("headers = ({ name = \"X\"; value = \"a\"; overide = true; });"),
         "2: headers: unknown key 'overide', expected name, value or override"                                                                                             },
        {IN("headers = ({ name = \"X\"; value = \"${GUSSET_TEST_CRLF}\"; });"),
         "2: headers: the value of X expands to text with a control character (CR, LF …), expected none"                                                                 },
        {IN("headers: { name = \"X\"; };"),
         "2: headers: found a group { … }, expected a list ( { name = …; value = …; } )"                                                                             },
        {"hosts: { };",                                                                    "1: hosts: found a group { … }, expected a list ( { match = …; }, { … } )"},
        {"hosts = (5);",                                                                   "1: hosts: expected groups { match = …; policy = …; } in the list"          },
        {"mode = \"off\";",                                                                " warning: no hosts: nothing is wrapped"                                        },
        {"hosts = ({ match = \"*x\"; policy = \"quick\"; });",
         "1: match: found \"*x\": a star stands alone (\"*\") or for the first labels of a name "
         "(\"*.example.com\")"                                                                                                                                             },
        {"hosts = ({ match = \"a.b\"; policy = \"quickly\"; });",
         "1: policy: unknown policy \"quickly\", did you mean \"quick\"?"                                                                                                  },
        {"hosts = ({ match = \"a.b\"; });",
         "1: hosts: found neither policy nor settings, expected policy = \"…\""                                                                                          },
        {"hosts = ({ match = \"a.b\"; policy = \"quick\"; paths = [\"x\"]; });",
         "1: paths: found \"x\", expected a list of paths such as \"/v1/search*\""                                                                                         },
        {"hosts = ({ match = \"a.b\"; policy = \"quick\"; programs = [\"/bin/x\"]; });",
         "1: programs: found \"/bin/x\", expected a list of program names without folders"                                                                                 },
        {"hosts = ({ match = \"a.b\"; policy = \"quick\"; methods = []; });",
         "1: methods: found an empty list, expected a list of HTTP methods in capitals"                                                                                    },
        {"hosts = ({ match = \"a.b\"; policy = \"quick\"; mode = \"on\"; });",
         "1: mode: found \"on\", expected one of enforce, shadow, off"                                                                                                     },
        {"hosts = ({ match = \"a.b\"; policy = \"quick\"; retry: { attempts = 0; }; });",
         "1: retry.attempts: found 0, expected a whole number from 1 to 100"                                                                                               },
        {"hosts = ({ match = \"a.b\"; polcy = \"quick\"; });",
         "1: unknown key 'polcy', did you mean 'policy'?"                                                                                                                  },
        {"hosts = ({ match = \"a.b\"; extends = \"quick\"; });",
         "1: extends: found it in a rule of hosts, expected policy = \"…\" there"                                                                                        },
        {"host = ();\nhosts = ();",                                                        "1: unknown key 'host', did you mean 'hosts'?"                                  },
        {IN("extends = \"r\";"),                                                           "2: extends: unknown policy \"r\", expected one of this file or a "
                                 "built-in one (standard, quick, expensive …)"                                                           },
        {IN("retry: { on = [\"200\"]; };"),
         "2: retry.on: found \"200\", expected a list of error types, CURLE_ names, "
         "statuses from 400 (\"503\") or classes (\"5xx\")"                                                                                                                },
        {IN("retry: { on = [\"503\", 504]; };"),
         "2: mismatched element type in array: expected all in quotation marks, or none, in the line "
         "\"retry: { on = [\"503\", 504]; };\""                                                                                                                            },
        {"hosts = ({ match = \"*\"; policy = \"quick\"; propagate = [\"tenant_id\"]; });",
         "1: warning: match \"*\" with propagate: third parties learn what is propagated"                                                                                  },
        {"mode = \"off\"\nhosts = (\n",                                                    "2: syntax error: the ( of this line is not closed"                             },
        {"a: {\n b = \"}\"; # }\n /* } */ c: { d = 1; };\n\n",
         "1: syntax error: the { of this line is not closed"                                                                                                               },
        {"mode = \"off\";\nhosts\n\n\n",                                                   "2: syntax error: the text ends within a setting"                               },
        {"mode = off;\n",
         "1: syntax error: a text stands without quotation marks, expected \"off\", in the line "
         "\"mode = off;\""                                                                                                                                                 },
        {IN("timeout: { total = 5s; };"),
         "2: syntax error: a text stands without quotation marks, expected \"5s\", in the line "
         "\"timeout: { total = 5s; };\""                                                                                                                                   },
        {IN("headers = ({ name = hunter2; });"),                                           "2: syntax error"                                                               },
        {"hosts = ({ match = \"https://me:hunter2@a.example/x\"; policy = \"quick\"; });",
         "1: match: found a URL, expected its host alone, and paths = [\"/…\"] for its path"                                                                             },
        {"mode = \"off\";\nmode = \"off\";\n",                                             "2: duplicate setting name, in the line \"mode = \"off\";\""                    },
        {"hosts = (5,\n];",                                                                /* newer ones allow the comma before the right bracket */
         "2: syntax error: a comma stands before the closing bracket, expected none there, in the line "
         "\"];\""                                                                                                                               },
        {"a = 1;\n  b 2;\n",                                                               "2: syntax error, in the line \"b 2;\""                                         },
        {"\xef\xbb\xbfmode = \"off\";\n",
         "1: syntax error: the file begins with a byte order mark (BOM), expected none"                                                                                    },
        {IN("headers = ({ name = \"X\"; value = hunter2; });"),                            "2: syntax error"                                                               },
        {IN("headers = ({ name = \"X\"; value =\n hunter2; });"),                          "3: syntax error"                                                               },
        {IN("headers = ({ name = \"X\"; value = \"a)\"; });\n timeout { };"),
         "3: syntax error, in the line \"timeout { };\""                                                                                                                   },
        {"mode = \"off\n\n",                                                               "1: the string is not closed; expected \""                                      },
        {"/* \n\n",                                                                        "1: the comment is not closed; expected */"                                     },
        {"\nlog: { target = \"/a\\x00b\"; };",                                             "2: the string holds a NUL (\\x00); expected text"                              },
    };
    struct config_fixture *fixture = *state;
    setenv("GUSSET_TEST_CRLF", "secret\r\n", 1);
    unsetenv("GUSSET_TEST_NONE");
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        config_expect(fixture, cases[i].text, cases[i].fault);
    }
    unsetenv("GUSSET_TEST_CRLF");
}

static void each_fault_of_variants_names_line_finding_and_expectation(void **state)
{
    static const struct fault_case cases[] = {
        {"policy = \"quick\"; variants = ({ weight = 1; policy = \"quick\"; });",
         "1: policy: found variants beside it, expected one of them"                                                                                                    },
        {"variants = ();",                                                              "1: variants: found 0 of them, expected from 1 to 32"                           },
        {"variants = 5;",                                                               "1: variants: found 5, expected a list ( { weight = …; policy = …; }, … )"},
        {"variants = ({ weight = 0; policy = \"quick\"; });",
         "1: variants: found none that has a weight and no ramp, expected one at least"                                                                                 },
        {"variants = ({ weight = 5; policy = \"quick\"; ramp = \"1h\"; });",
         "1: variants: found none that has a weight and no ramp, expected one at least"                                                                                 },
        {"variants = ({ weight = 5; policy = \"quik\"; });",
         "1: variants: unknown policy \"quik\", did you mean \"quick\"?"                                                                                                },
        {"variants = ({ weight = -1; policy = \"quick\"; });",
         "1: variants: weight: found -1, expected a whole number from 0 to 1000000"                                                                                     },
        {"variants = ({ weight = 1; policy = \"quick\"; ramp = \"soon\"; });",
         "1: variants: ramp: found \"soon\", expected a duration with a unit such as \"1h\", from 1ms to "
         "168h"                                                                                                                                                         },
        {"variants = ({ weight = 1; policy = \"quick\"; share = 4; });",
         "1: unknown key 'share' in variants; expected weight, policy and ramp"                                                                                         },
        {"variants = ({ weight = 1; });",
         "1: variants: found a variant without policy, expected weight and policy"                                                                                      },
        {"variants = ({ policy = \"quick\"; });",
         "1: variants: found a variant without weight, expected weight and policy"                                                                                      },
        {"variants = ({ weight = 1; policy = \"quick\"; }); retry: { attempts = 2; };",
         "1: hosts: found settings beside variants, expected them in the variants' policies"                                                                            },
        {"variants = ({ weight = 1; policy = \"quick\"; }); by = \"moon\";",
         "1: by: found \"moon\", expected request, tenant or process"                                                                                                   },
        {"policy = \"quick\"; by = \"tenant\";",                                        "1: by: expected variants beside it, which it tells apart"                      },
    };
    char text[512];
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "hosts = ({ match = \"a.b\"; %s });", cases[i].text);
        config_expect(*state, text, cases[i].fault);
    }
}

static void no_fault_shows_a_headers_value_or_an_expanded_one(void **state)
{
    struct config_fixture *fixture = *state;
    setenv("GUSSET_TEST_SECRET", "hunter2", 1);
    config_read(
        fixture,
        IN("headers = ({ name = \"X y\"; value = \"hunter2\"; }, { name = \"X\"; value = \"hunter2\\n\"; },\n"
           "  { name = \"X\"; value = \"hunter2${\"; }, 5); limit: { rate = \"${GUSSET_TEST_SECRET}\"; };"));
    assert_int_equal(fixture->faults.errors, 5);
    for (uint32_t i = 0; i < fixture->faults.count; i++)
        assert_null(strstr(fixture->faults.items[i].text, "hunter2"));
    /* Headers as other programs write them, and an address with a password, in forms that are faults. */
    static const char *const slips[] = {
        IN("headers = \"X-Key: hunter2\";"),
        IN("headers = [\"X-Key: hunter2\"];"),
        IN("headers = ({ name = \"X-Key: hunter2\"; value = \"a\"; });"),
        "services = ({ name = \"s\"; url = \"http://me:hunter2@localhost/\" });",
        "services = ({ name = \"s\"; url = \"http://me:hunter2@localhost/\" x });",
    };
    for (unsigned i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        config_read(fixture, slips[i]);
        assert_int_equal(fixture->faults.errors, 1);
        assert_null(strstr(fixture->faults.items[0].text, "hunter2"));
    }
    unsetenv("GUSSET_TEST_SECRET");
}

static void all_semantic_faults_come_in_one_run_in_the_order_of_their_lines(void **state)
{
    struct config_fixture *fixture = *state;
    assert_int_equal(config_read(fixture, "hosts = ({ match = \"\"; policy = \"nil\"; });\n"
                                          "mode = 5;\n"
                                          "policies: { a: { retry: { attempts = 0;\n"
                                          "  on = [\"x\"]; }; }; };\n"
                                          "nonsense_key = 1;\n"),
                     -EINVAL);
    assert_int_equal(fixture->faults.errors, 6);
    uint32_t line = 0;
    for (uint32_t i = 0; i < fixture->faults.count; i++) {
        assert_true(fixture->faults.items[i].line >= line);
        line = fixture->faults.items[i].line;
    }
}

/* Story: a fault in a list, in a rule or among contradictions hid those behind it until the next run. */
static void a_fault_does_not_hide_the_others_of_its_list_rule_or_policy(void **state)
{
    static const struct {
        const char *text;
        uint32_t errors;
    } cases[] = {
        {IN("retry: { on = [\"conect\", \"503\", \"6xx\"]; methods = [\"get\", \"put\"]; }; propagate = "
            "[\"a\", \"b\"];"),
         6                                                                                                },
        {"hosts = ({ match = \"a.b\"; policy = \"quick\"; paths = [\"x\", \"y\"]; programs = [\"/x\", "
         "\"/y\"]; "
         "methods = [\"get\", \"put\"]; });",                                                   6},
        {"hosts = ({ match = \"a.b\"; policy = \"nil\"; timeout: { connect = 5; }; bogus_key = 1; });",  3},
        {"hosts = ({ match = \"a..b\"; policy = \"nil\"; timeout: { connect = 5; }; });",                3},
        {"hosts = ({ match = \"a.b\"; policy = \"nil\"; },\n{ match = \"a.b\"; policy = \"quick\"; });", 2},
        {IN("retry: { backoff: { base = \"6s\"; }; }; breaker: { open = \"10m\"; }; pool: { connections = 5; "
            "}; "
            "fallback: { body = \"a\"; file = \"/a\"; }; fault: { percent = 5; };"),
         5                                                                                                },
    };
    struct config_fixture *fixture = *state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(config_read(fixture, cases[i].text), -EINVAL);
        assert_int_equal(fixture->faults.errors, cases[i].errors);
    }
}

static void no_fault_follows_from_another(void **state)
{
    config_expect(*state, IN("fault: { until = \"soon\"; };"),
                  "2: fault.until: found \"soon\", expected a time such as \"2026-12-01T00:00:00Z\"");
    config_expect(
        *state, IN("retry: { backoff: { base = \"6s\"; cap = 60; }; };"),
        "2: retry.backoff.cap: found 60, expected a duration with a unit such as \"5s\", from 0s to 24h");
    config_expect(*state, IN("extends = \"aggresive\"; retry: { backoff: { base = \"6s\"; }; };"),
                  "2: extends: unknown policy \"aggresive\", did you mean \"aggressive\"?");
}

static void policies_that_extend_each_other_are_a_fault(void **state)
{
    struct config_fixture *fixture = *state;
    config_expect(fixture,
                  "policies: { a: { extends = \"b\"; };\n b: { extends = \"c\"; };\n c: { extends = \"a\"; "
                  "}; };\nhosts = ();",
                  "3: extends: \"c\" and \"a\" extend each other, in the end");
}

/* A file of 1,000 of them ended the program by its stack. */
static void a_long_chain_of_policies_is_a_fault_whichever_end_comes_first(void **state)
{
    enum { LONG_ENOUGH = POLICIES_CHAIN_MOST + 1 };
    struct config_fixture *fixture = *state;
    char text[LONG_ENOUGH * 40 + 200];

    for (int is_from_below = 0; is_from_below <= 1; is_from_below++)
        for (int count = LONG_ENOUGH - 2; count < LONG_ENOUGH; count++) { /* and a built-in one */
            int length = sprintf(text, "policies: {\n");
            for (int i = 0; i < count; i++) {
                int own = is_from_below ? count - 1 - i : i;
                length += own < count - 1
                              ? sprintf(text + length, "p%d: { extends = \"p%d\"; };\n", own, own + 1)
                              : sprintf(text + length, "p%d: { extends = \"quick\"; };\n", own);
            }
            strcpy(text + length, "};\nhosts = ({ match = \"a.example\"; policy = \"p0\"; });\n");
            if (count + 1 <= POLICIES_CHAIN_MOST)
                assert_return_code(config_read(fixture, text), 0);
            else
                config_expect(fixture, text, "33: extends: more than 32 policies build upon each other");
        }
}

static void rules_that_say_equally_much_are_a_fault_with_both_lines(void **state)
{
    struct config_fixture *fixture = *state;
    static const struct {
        const char *first, *second;
        bool is_tie;
    } pairs[] = {
        {"match = \"a.b\"",                            "match = \"A.b\"",                               true },
        {"match = \"a.b\"",                            "match = \"a.b:80\"",                            false},
        {"match = \"a.b:80\"",                         "match = \"a.b:443\"",                           false},
        {"match = \"a.b:80\"",                         "match = \"a.b:80\"",                            true },
        {"match = \"a.b\"; programs = [\"x\"]",        "match = \"a.b\"; programs = [\"y\"]",           false},
        {"match = \"a.b\"; programs = [\"x\", \"y\"]", "match = \"a.b\"; programs = [\"y\", \"z\"]",    true },
        {"match = \"a.b\"; programs = [\"x\"]",        "match = \"a.b\"",                               false},
        {"match = \"a.b\"; methods = [\"GET\"]",       "match = \"a.b\"; methods = [\"PUT\"]",          false},
        {"match = \"a.b\"; methods = [\"GET\"]",       "match = \"a.b\"; methods = [\"GET\"]",          true },
        {"match = \"a.b\"; methods = [\"GET\"]",       "match = \"a.b\"; methods = [\"GET\", \"PUT\"]", false},
        {"match = \"a.b\"; paths = [\"/a*\"]",         "match = \"a.b\"; paths = [\"/b*\"]",            false},
        {"match = \"a.b\"; paths = [\"/a*\"]",         "match = \"a.b\"; paths = [\"/a*\"]",            true },
        {"match = \"a.b\"; paths = [\"/a*\"]",         "match = \"a.b\"; paths = [\"/ab*\"]",           false},
        {"match = \"a.b\"; paths = [\"/a*b\"]",        "match = \"a.b\"; paths = [\"/a*c\"]",           false},
        {"match = \"a.b\"; paths = [\"/a*b*\"]",       "match = \"a.b\"; paths = [\"/a*c*\"]",          true },
        {"match = \"a.b\"; paths = [\"/a\", \"/b\"]",  "match = \"a.b\"; paths = [\"/c\", \"/b\"]",     true },
        {"match = \"10.0.0.0/8\"",                     "match = \"10.0.0.0/8\"",                        true },
        {"match = \"10.0.0.0/8\"",                     "match = \"11.0.0.0/8\"",                        false},
        {"match = \"*\"",                              "match = \"*\"",                                 true },
        {"match = \"*.b\"",                            "match = \"*.c\"",                               false},
    };
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "hosts = (\n{ policy = \"quick\"; %s; },\n{ policy = \"quick\"; %s; });",
                 pairs[i].first, pairs[i].second);
        config_read(fixture, text);
        if (fixture->faults.errors != pairs[i].is_tie)
            print_message("%s | %s\n", pairs[i].first, pairs[i].second);
        assert_int_equal(fixture->faults.errors, pairs[i].is_tie);
        if (pairs[i].is_tie) {
            assert_int_equal(fixture->faults.items[0].line, 3);
            assert_non_null(strstr(fixture->faults.items[0].text, "main.cfg:2;"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(each_fault_names_line_finding_and_expectation),
        CONFIG_TEST(each_fault_of_variants_names_line_finding_and_expectation),
        CONFIG_TEST(no_fault_shows_a_headers_value_or_an_expanded_one),
        CONFIG_TEST(all_semantic_faults_come_in_one_run_in_the_order_of_their_lines),
        CONFIG_TEST(a_fault_does_not_hide_the_others_of_its_list_rule_or_policy),
        CONFIG_TEST(no_fault_follows_from_another),
        CONFIG_TEST(policies_that_extend_each_other_are_a_fault),
        CONFIG_TEST(a_long_chain_of_policies_is_a_fault_whichever_end_comes_first),
        CONFIG_TEST(rules_that_say_equally_much_are_a_fault_with_both_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
