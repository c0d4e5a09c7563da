/* core/outcome: libcurl, errno and HTTP in one classification, and sets of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "core/outcome.h"

static struct outcome_set set_of(const char *text)
{
    struct outcome_set set = {0};

    if (!outcome_set_add(&set, text, strlen(text)))
        fail_msg("\"%s\" names nothing", text);
    return set;
}

static bool has(const char *text, struct outcome outcome)
{
    struct outcome_set set = set_of(text);
    return outcome_set_has(&set, &outcome);
}

static void outcome_of_a_curl_code_says_what_the_peer_caused(void **state)
{
    (void)state;
    static const struct {
        int code;
        enum outcome_type type;
    } types[] = {
        {CURLE_COULDNT_RESOLVE_HOST,     OUTCOME_DNS              },
        {CURLE_COULDNT_RESOLVE_PROXY,    OUTCOME_DNS              },
        {CURLE_COULDNT_CONNECT,          OUTCOME_CONNECT          },
        {96,                             OUTCOME_CONNECT          },
        {97,                             OUTCOME_CONNECT          },
        {CURLE_OPERATION_TIMEDOUT,       OUTCOME_TIMEOUT          },
        {CURLE_SEND_ERROR,               OUTCOME_RESET            },
        {CURLE_RECV_ERROR,               OUTCOME_RESET            },
        {CURLE_GOT_NOTHING,              OUTCOME_RESET            },
        {CURLE_PARTIAL_FILE,             OUTCOME_RESET            },
        {CURLE_HTTP2,                    OUTCOME_RESET            },
        {CURLE_HTTP2_STREAM,             OUTCOME_RESET            },
        {CURLE_SSL_CONNECT_ERROR,        OUTCOME_TLS              },
        {CURLE_PEER_FAILED_VERIFICATION, OUTCOME_TLS              },
        {CURLE_SSL_CACERT_BADFILE,       OUTCOME_LOCAL            },
        {CURLE_SSL_CERTPROBLEM,          OUTCOME_LOCAL            },
        {CURLE_OUT_OF_MEMORY,            OUTCOME_LOCAL            },
        {CURLE_URL_MALFORMAT,            OUTCOME_LOCAL            },
        {CURLE_INTERFACE_FAILED,         OUTCOME_LOCAL            },
        {CURLE_READ_ERROR,               OUTCOME_LOCAL            },
        {CURLE_ABORTED_BY_CALLBACK,      OUTCOME_ABORTED          },
        {CURLE_WRITE_ERROR,              OUTCOME_ABORTED          },
        {CURLE_LOGIN_DENIED,             OUTCOME_AUTHENTICATION   },
        {CURLE_REMOTE_ACCESS_DENIED,     OUTCOME_PERMISSION_DENIED},
        {CURLE_REMOTE_FILE_NOT_FOUND,    OUTCOME_NOT_FOUND        },
        {CURLE_HTTP_RETURNED_ERROR,      OUTCOME_UNKNOWN          },
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_int_equal(outcome_of_curl(types[i].code).type, types[i].type);
        assert_int_equal(outcome_of_curl(types[i].code).curl, types[i].code);
    }
    assert_int_equal(outcome_of_curl(CURLE_OK).type, OUTCOME_SUCCESS);
}

static void outcome_of_a_code_beyond_the_table_is_unknown(void **state)
{
    (void)state;
    static const int codes[] = {20, 102, 127, 128, 99999, -1, INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(outcome_of_curl(codes[i]).type, OUTCOME_UNKNOWN);
        assert_null(outcome_curl_name(codes[i]));
    }
    assert_int_equal(outcome_of_curl(102).curl, 102);
    assert_int_equal(outcome_of_curl(128).curl, 0);
    assert_null(outcome_curl_name(0));
}

static void outcome_of_an_errno_tells_the_peers_causes_from_ours(void **state)
{
    (void)state;
    static const struct {
        int os_error;
        enum outcome_type type;
    } types[] = {
        {0,             OUTCOME_SUCCESS},
        {ECONNREFUSED,  OUTCOME_CONNECT},
        {EHOSTUNREACH,  OUTCOME_CONNECT},
        {ENETUNREACH,   OUTCOME_CONNECT},
        {EHOSTDOWN,     OUTCOME_CONNECT},
        {ENOENT,        OUTCOME_CONNECT},
        {EAGAIN,        OUTCOME_CONNECT},
        {ETIMEDOUT,     OUTCOME_TIMEOUT},
        {ECONNRESET,    OUTCOME_RESET  },
        {EPIPE,         OUTCOME_RESET  },
        {ECONNABORTED,  OUTCOME_LOCAL  },
        {EINPROGRESS,   OUTCOME_UNKNOWN},
        {EALREADY,      OUTCOME_UNKNOWN},
        {EINTR,         OUTCOME_UNKNOWN},
        {EACCES,        OUTCOME_LOCAL  },
        {EPERM,         OUTCOME_LOCAL  },
        {EADDRNOTAVAIL, OUTCOME_LOCAL  },
        {EBADF,         OUTCOME_LOCAL  },
        {ENOTSOCK,      OUTCOME_LOCAL  },
        {EAFNOSUPPORT,  OUTCOME_LOCAL  },
        {EMFILE,        OUTCOME_LOCAL  },
        {ENOMEM,        OUTCOME_LOCAL  },
        {EISCONN,       OUTCOME_LOCAL  },
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_int_equal(outcome_of_errno(types[i].os_error).type, types[i].type);
        assert_int_equal(outcome_of_errno(types[i].os_error).os_error, types[i].os_error);
    }
}

static void outcome_of_a_status_follows_its_class(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum outcome_type type;
    } types[] = {
        {0,     OUTCOME_SUCCESS          },
        {200,   OUTCOME_SUCCESS          },
        {399,   OUTCOME_SUCCESS          },
        {400,   OUTCOME_BAD_REQUEST      },
        {401,   OUTCOME_AUTHENTICATION   },
        {403,   OUTCOME_PERMISSION_DENIED},
        {404,   OUTCOME_NOT_FOUND        },
        {407,   OUTCOME_AUTHENTICATION   },
        {410,   OUTCOME_NOT_FOUND        },
        {429,   OUTCOME_RATE_LIMIT       },
        {499,   OUTCOME_BAD_REQUEST      },
        {500,   OUTCOME_SERVER_ERROR     },
        {599,   OUTCOME_SERVER_ERROR     },
        {600,   OUTCOME_UNKNOWN          },
        {65535, OUTCOME_UNKNOWN          },
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_int_equal(outcome_of_status(types[i].status).type, types[i].type);
        assert_int_equal(outcome_of_status(types[i].status).status, types[i].status);
    }
    assert_int_equal(outcome_of_errno(-ECONNREFUSED).os_error, 0);
    assert_int_equal(outcome_of_errno(65536 + ECONNREFUSED).os_error, 0);
    assert_int_equal(outcome_of_status(-503).status, 0);
    assert_int_equal(outcome_of_status(65536 + 503).status, 0);
}

static void outcome_set_takes_each_type_by_its_name(void **state)
{
    (void)state;

    for (unsigned type = OUTCOME_DNS; type < OUTCOME_TYPES; type++) {
        struct outcome_set set = set_of(outcome_type_name(type));
        for (unsigned other = OUTCOME_SUCCESS; other < OUTCOME_TYPES; other++)
            assert_int_equal(outcome_set_has(&set, &(struct outcome){.type = (uint8_t)other}), type == other);
    }
}

static void outcome_set_takes_each_code_by_its_name(void **state)
{
    (void)state;

    for (int code = 1; code < OUTCOME_CURL_CODES; code++) {
        if (outcome_curl_name(code) == NULL)
            continue;
        struct outcome_set set = set_of(outcome_curl_name(code));
        for (int other = 0; other < 256; other++) {
            struct outcome outcome = {.type = OUTCOME_UNKNOWN, .curl = (uint8_t)other};
            assert_int_equal(outcome_set_has(&set, &outcome), code == other);
        }
    }
}

static void outcome_set_takes_statuses_and_their_classes(void **state)
{
    (void)state;
    struct outcome_set one = set_of("503"), class = set_of("4xx");

    for (int status = 0; status < 1000; status++) {
        struct outcome outcome = outcome_of_status(status);
        assert_int_equal(outcome_set_has(&one, &outcome), status == 503);
        assert_int_equal(outcome_set_has(&class, &outcome), status >= 400 && status <= 499);
    }
    assert_true(has("5xx", outcome_of_status(599)));
}

static void outcome_set_finds_a_status_by_its_type(void **state)
{
    (void)state;

    assert_true(has("server_error", outcome_of_status(503)));
    assert_true(has("rate_limit", outcome_of_status(429)));
    assert_false(has("bad_request", outcome_of_status(429)));
}

static void outcome_set_refuses_what_names_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "100",
                                        "2xx",
                                        "399",
                                        "success",
                                        "Timeout",
                                        "time",
                                        "timeouts",
                                        "CURLE_",
                                        "CURLE_OK",
                                        "COULDNT_CONNECT",
                                        "CURLE_OBSOLETE20",
                                        "099",
                                        "600",
                                        "6xx",
                                        "0xx",
                                        "5XX",
                                        "5-3",
                                        "5:3",
                                        "50x",
                                        "5x3",
                                        "5",
                                        "5033",
                                        "-50",
                                        "timeout "};
    struct outcome_set set = {0};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (outcome_set_add(&set, names[i], strlen(names[i])))
            fail_msg("\"%s\" is taken", names[i]);
    assert_false(outcome_set_add(&set, "dns\0", 4));
    assert_true(outcome_set_is_empty(&set));
    assert_true(outcome_set_add(&set, "dnsx", 3));
    assert_false(outcome_set_is_empty(&set));
    set = set_of("599");
    assert_false(outcome_set_is_empty(&set));
    set = set_of("CURLE_ECH_REQUIRED");
    assert_false(outcome_set_is_empty(&set));
}

static void outcome_set_survives_an_outcome_that_is_none(void **state)
{
    (void)state;
    struct outcome_set all;

    memset(&all, 0xff, sizeof all);
    assert_false(outcome_set_has(&all, &(struct outcome){255, 255, 65535, 0}));
    assert_string_equal(outcome_type_name(OUTCOME_TYPES), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome_of_a_curl_code_says_what_the_peer_caused),
        cmocka_unit_test(outcome_of_a_code_beyond_the_table_is_unknown),
        cmocka_unit_test(outcome_of_an_errno_tells_the_peers_causes_from_ours),
        cmocka_unit_test(outcome_of_a_status_follows_its_class),
        cmocka_unit_test(outcome_set_takes_each_type_by_its_name),
        cmocka_unit_test(outcome_set_takes_each_code_by_its_name),
        cmocka_unit_test(outcome_set_takes_statuses_and_their_classes),
        cmocka_unit_test(outcome_set_finds_a_status_by_its_type),
        cmocka_unit_test(outcome_set_refuses_what_names_nothing),
        cmocka_unit_test(outcome_set_survives_an_outcome_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
