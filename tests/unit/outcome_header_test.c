/* core/outcome spells libcurl's numbers itself: the installed curl.h is the witness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <string.h>

#include "core/outcome.h"

/* What curl.h calls a code, and its number there. */
#define CODE(name)                                                                                           \
    {                                                                                                        \
        "CURLE_" #name, CURLE_##name                                                                         \
    }

static const struct {
    const char *name;
    int number;
} header[] = {
    CODE(UNSUPPORTED_PROTOCOL),
    CODE(FAILED_INIT),
    CODE(URL_MALFORMAT),
    CODE(NOT_BUILT_IN),
    CODE(COULDNT_RESOLVE_PROXY),
    CODE(COULDNT_RESOLVE_HOST),
    CODE(COULDNT_CONNECT),
    CODE(WEIRD_SERVER_REPLY),
    CODE(REMOTE_ACCESS_DENIED),
    CODE(FTP_ACCEPT_FAILED),
    CODE(FTP_WEIRD_PASS_REPLY),
    CODE(FTP_ACCEPT_TIMEOUT),
    CODE(FTP_WEIRD_PASV_REPLY),
    CODE(FTP_WEIRD_227_FORMAT),
    CODE(FTP_CANT_GET_HOST),
    CODE(HTTP2),
    CODE(FTP_COULDNT_SET_TYPE),
    CODE(PARTIAL_FILE),
    CODE(FTP_COULDNT_RETR_FILE),
    CODE(QUOTE_ERROR),
    CODE(HTTP_RETURNED_ERROR),
    CODE(WRITE_ERROR),
    CODE(UPLOAD_FAILED),
    CODE(READ_ERROR),
    CODE(OUT_OF_MEMORY),
    CODE(OPERATION_TIMEDOUT),
    CODE(FTP_PORT_FAILED),
    CODE(FTP_COULDNT_USE_REST),
    CODE(RANGE_ERROR),
    CODE(HTTP_POST_ERROR),
    CODE(SSL_CONNECT_ERROR),
    CODE(BAD_DOWNLOAD_RESUME),
    CODE(FILE_COULDNT_READ_FILE),
    CODE(LDAP_CANNOT_BIND),
    CODE(LDAP_SEARCH_FAILED),
    CODE(FUNCTION_NOT_FOUND),
    CODE(ABORTED_BY_CALLBACK),
    CODE(BAD_FUNCTION_ARGUMENT),
    CODE(INTERFACE_FAILED),
    CODE(TOO_MANY_REDIRECTS),
    CODE(UNKNOWN_OPTION),
    CODE(GOT_NOTHING),
    CODE(SSL_ENGINE_NOTFOUND),
    CODE(SSL_ENGINE_SETFAILED),
    CODE(SEND_ERROR),
    CODE(RECV_ERROR),
    CODE(SSL_CERTPROBLEM),
    CODE(SSL_CIPHER),
    CODE(PEER_FAILED_VERIFICATION),
    CODE(BAD_CONTENT_ENCODING),
    CODE(FILESIZE_EXCEEDED),
    CODE(USE_SSL_FAILED),
    CODE(SEND_FAIL_REWIND),
    CODE(SSL_ENGINE_INITFAILED),
    CODE(LOGIN_DENIED),
    CODE(TFTP_NOTFOUND),
    CODE(TFTP_PERM),
    CODE(REMOTE_DISK_FULL),
    CODE(TFTP_ILLEGAL),
    CODE(TFTP_UNKNOWNID),
    CODE(REMOTE_FILE_EXISTS),
    CODE(TFTP_NOSUCHUSER),
    CODE(SSL_CACERT_BADFILE),
    CODE(REMOTE_FILE_NOT_FOUND),
    CODE(SSH),
    CODE(SSL_SHUTDOWN_FAILED),
    CODE(AGAIN),
    CODE(SSL_CRL_BADFILE),
    CODE(SSL_ISSUER_ERROR),
    CODE(FTP_PRET_FAILED),
    CODE(RTSP_CSEQ_ERROR),
    CODE(RTSP_SESSION_ERROR),
    CODE(FTP_BAD_FILE_LIST),
    CODE(CHUNK_FAILED),
    CODE(NO_CONNECTION_AVAILABLE),
    CODE(SSL_PINNEDPUBKEYNOTMATCH),
    CODE(SSL_INVALIDCERTSTATUS),
    CODE(HTTP2_STREAM),
    CODE(RECURSIVE_API_CALL),
    CODE(AUTH_ERROR),
    CODE(HTTP3),
    CODE(LDAP_INVALID_URL), /* by its old name */
    CODE(CONV_FAILED),
    CODE(CONV_REQD),
#if LIBCURL_VERSION_NUM >= 0x074e00
    CODE(SETOPT_OPTION_SYNTAX),
#endif
#if LIBCURL_VERSION_NUM >= 0x074500
    CODE(QUIC_CONNECT_ERROR),
#endif
#if LIBCURL_VERSION_NUM >= 0x074900
    CODE(PROXY),
#endif
#if LIBCURL_VERSION_NUM >= 0x074d00
    CODE(SSL_CLIENTCERT),
#endif
#if LIBCURL_VERSION_NUM >= 0x075400
    CODE(UNRECOVERABLE_POLL),
#endif
#if LIBCURL_VERSION_NUM >= 0x080600
    CODE(TOO_LARGE),
#endif
#if LIBCURL_VERSION_NUM >= 0x080800
    CODE(ECH_REQUIRED),
#endif
};

static const struct {
    const char *name;
    int number;
} old[] = {
    CODE(FTP_WEIRD_SERVER_REPLY),  CODE(FTP_ACCESS_DENIED),   CODE(FTP_COULDNT_SET_BINARY),
    CODE(FTP_PARTIAL_FILE),        CODE(FTP_QUOTE_ERROR),     CODE(HTTP_NOT_FOUND),
    CODE(FTP_COULDNT_STOR_FILE),   CODE(OPERATION_TIMEOUTED), CODE(HTTP_RANGE_ERROR),
    CODE(FTP_BAD_DOWNLOAD_RESUME), CODE(HTTP_PORT_FAILED),    CODE(UNKNOWN_TELNET_OPTION),
    CODE(TELNET_OPTION_SYNTAX),    CODE(SSL_CACERT),          CODE(SSL_PEER_CERTIFICATE),
    CODE(FTP_SSL_FAILED),          CODE(TFTP_DISKFULL),       CODE(TFTP_EXISTS),
};

static void outcome_numbers_are_those_of_the_installed_header(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        assert_non_null(outcome_curl_name(header[i].number));
        assert_string_equal(outcome_curl_name(header[i].number), header[i].name);
    }
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        struct outcome outcome = {.type = OUTCOME_TYPES, .curl = (uint8_t)old[i].number};
        struct outcome_set set = {0};
        assert_true(outcome_set_add(&set, old[i].name, strlen(old[i].name)));
        assert_true(outcome_set_has(&set, &outcome));
    }
}

static bool is_obsolete(int code)
{
    static const int codes[] = {20, 24, 29, 32, 40, 44, 46, 50, 51, 57};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

/* Fails with a libcurl that has a code more than the table: then it is time to look at it. */
static void outcome_knows_every_code_of_the_installed_header(void **state)
{
    (void)state;
    size_t known = 0;

    for (int code = 1; code < CURL_LAST; code++) {
        if (is_obsolete(code) == (outcome_curl_name(code) != NULL))
            fail_msg("code %d: %s", code, outcome_curl_name(code) ? "is obsolete" : "is not in the table");
        known += outcome_curl_name(code) != NULL;
    }
    assert_int_equal(known, sizeof header / sizeof *header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome_numbers_are_those_of_the_installed_header),
        cmocka_unit_test(outcome_knows_every_code_of_the_installed_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
