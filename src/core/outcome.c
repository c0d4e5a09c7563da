#include "core/outcome.h"

#include <errno.h>

/*
 * libcurl's codes, by what the peer caused. Their numbers are ABI and stand here on their own, so that
 * core needs no curl header; the unit test holds them against the installed one. A reply of FTP, LDAP
 * or RTSP that refuses a command is `unknown`: only the reply's code could say more.
 */
static const struct {
    const char *name;
    uint8_t type;
} codes[OUTCOME_CURL_CODES] = {
    [1] = {"CURLE_UNSUPPORTED_PROTOCOL",     OUTCOME_LOCAL            },
    [2] = {"CURLE_FAILED_INIT",              OUTCOME_LOCAL            },
    [3] = {"CURLE_URL_MALFORMAT",            OUTCOME_LOCAL            },
    [4] = {"CURLE_NOT_BUILT_IN",             OUTCOME_LOCAL            },
    [5] = {"CURLE_COULDNT_RESOLVE_PROXY",    OUTCOME_DNS              },
    [6] = {"CURLE_COULDNT_RESOLVE_HOST",     OUTCOME_DNS              },
    [7] = {"CURLE_COULDNT_CONNECT",          OUTCOME_CONNECT          },
    [8] = {"CURLE_WEIRD_SERVER_REPLY",       OUTCOME_RESET            },
    [9] = {"CURLE_REMOTE_ACCESS_DENIED",     OUTCOME_PERMISSION_DENIED},
    [10] = {"CURLE_FTP_ACCEPT_FAILED",        OUTCOME_UNKNOWN          },
    [11] = {"CURLE_FTP_WEIRD_PASS_REPLY",     OUTCOME_UNKNOWN          },
    [12] = {"CURLE_FTP_ACCEPT_TIMEOUT",       OUTCOME_TIMEOUT          },
    [13] = {"CURLE_FTP_WEIRD_PASV_REPLY",     OUTCOME_UNKNOWN          },
    [14] = {"CURLE_FTP_WEIRD_227_FORMAT",     OUTCOME_UNKNOWN          },
    [15] = {"CURLE_FTP_CANT_GET_HOST",        OUTCOME_DNS              },
    [16] = {"CURLE_HTTP2",                    OUTCOME_RESET            },
    [17] = {"CURLE_FTP_COULDNT_SET_TYPE",     OUTCOME_UNKNOWN          },
    [18] = {"CURLE_PARTIAL_FILE",             OUTCOME_RESET            },
    [19] = {"CURLE_FTP_COULDNT_RETR_FILE",    OUTCOME_UNKNOWN          },
    [21] = {"CURLE_QUOTE_ERROR",              OUTCOME_UNKNOWN          },
    [22] = {"CURLE_HTTP_RETURNED_ERROR",      OUTCOME_UNKNOWN          }, /* the status says it */
    [23] = {"CURLE_WRITE_ERROR",              OUTCOME_ABORTED          },
    [25] = {"CURLE_UPLOAD_FAILED",            OUTCOME_UNKNOWN          },
    [26] = {"CURLE_READ_ERROR",               OUTCOME_LOCAL            },
    [27] = {"CURLE_OUT_OF_MEMORY",            OUTCOME_LOCAL            },
    [28] = {"CURLE_OPERATION_TIMEDOUT",       OUTCOME_TIMEOUT          },
    [30] = {"CURLE_FTP_PORT_FAILED",          OUTCOME_UNKNOWN          },
    [31] = {"CURLE_FTP_COULDNT_USE_REST",     OUTCOME_UNKNOWN          },
    [33] = {"CURLE_RANGE_ERROR",              OUTCOME_UNKNOWN          },
    [34] = {"CURLE_HTTP_POST_ERROR",          OUTCOME_LOCAL            },
    [35] = {"CURLE_SSL_CONNECT_ERROR",        OUTCOME_TLS              },
    [36] = {"CURLE_BAD_DOWNLOAD_RESUME",      OUTCOME_LOCAL            },
    [37] = {"CURLE_FILE_COULDNT_READ_FILE",   OUTCOME_LOCAL            },
    [38] = {"CURLE_LDAP_CANNOT_BIND",         OUTCOME_UNKNOWN          },
    [39] = {"CURLE_LDAP_SEARCH_FAILED",       OUTCOME_UNKNOWN          },
    [41] = {"CURLE_FUNCTION_NOT_FOUND",       OUTCOME_LOCAL            },
    [42] = {"CURLE_ABORTED_BY_CALLBACK",      OUTCOME_ABORTED          },
    [43] = {"CURLE_BAD_FUNCTION_ARGUMENT",    OUTCOME_LOCAL            },
    [45] = {"CURLE_INTERFACE_FAILED",         OUTCOME_LOCAL            },
    [47] = {"CURLE_TOO_MANY_REDIRECTS",       OUTCOME_UNKNOWN          },
    [48] = {"CURLE_UNKNOWN_OPTION",           OUTCOME_LOCAL            },
    [49] = {"CURLE_SETOPT_OPTION_SYNTAX",     OUTCOME_LOCAL            },
    [52] = {"CURLE_GOT_NOTHING",              OUTCOME_RESET            },
    [53] = {"CURLE_SSL_ENGINE_NOTFOUND",      OUTCOME_LOCAL            },
    [54] = {"CURLE_SSL_ENGINE_SETFAILED",     OUTCOME_LOCAL            },
    [55] = {"CURLE_SEND_ERROR",               OUTCOME_RESET            },
    [56] = {"CURLE_RECV_ERROR",               OUTCOME_RESET            },
    [58] = {"CURLE_SSL_CERTPROBLEM",          OUTCOME_LOCAL            },
    [59] = {"CURLE_SSL_CIPHER",               OUTCOME_LOCAL            },
    [60] = {"CURLE_PEER_FAILED_VERIFICATION", OUTCOME_TLS              },
    [61] = {"CURLE_BAD_CONTENT_ENCODING",     OUTCOME_UNKNOWN          },
    [62] = {"CURLE_LDAP_INVALID_URL",         OUTCOME_LOCAL            }, /* until 7.81 */
    [63] = {"CURLE_FILESIZE_EXCEEDED",        OUTCOME_LOCAL            },
    [64] = {"CURLE_USE_SSL_FAILED",           OUTCOME_TLS              },
    [65] = {"CURLE_SEND_FAIL_REWIND",         OUTCOME_LOCAL            },
    [66] = {"CURLE_SSL_ENGINE_INITFAILED",    OUTCOME_LOCAL            },
    [67] = {"CURLE_LOGIN_DENIED",             OUTCOME_AUTHENTICATION   },
    [68] = {"CURLE_TFTP_NOTFOUND",            OUTCOME_NOT_FOUND        },
    [69] = {"CURLE_TFTP_PERM",                OUTCOME_PERMISSION_DENIED},
    [70] = {"CURLE_REMOTE_DISK_FULL",         OUTCOME_SERVER_ERROR     },
    [71] = {"CURLE_TFTP_ILLEGAL",             OUTCOME_BAD_REQUEST      },
    [72] = {"CURLE_TFTP_UNKNOWNID",           OUTCOME_UNKNOWN          },
    [73] = {"CURLE_REMOTE_FILE_EXISTS",       OUTCOME_BAD_REQUEST      },
    [74] = {"CURLE_TFTP_NOSUCHUSER",          OUTCOME_AUTHENTICATION   },
    [75] = {"CURLE_CONV_FAILED",              OUTCOME_LOCAL            }, /* until 7.81 */
    [76] = {"CURLE_CONV_REQD",                OUTCOME_LOCAL            }, /* until 7.81 */
    [77] = {"CURLE_SSL_CACERT_BADFILE",       OUTCOME_LOCAL            },
    [78] = {"CURLE_REMOTE_FILE_NOT_FOUND",    OUTCOME_NOT_FOUND        },
    [79] = {"CURLE_SSH",                      OUTCOME_UNKNOWN          },
    [80] = {"CURLE_SSL_SHUTDOWN_FAILED",      OUTCOME_TLS              },
    [81] = {"CURLE_AGAIN",                    OUTCOME_UNKNOWN          },
    [82] = {"CURLE_SSL_CRL_BADFILE",          OUTCOME_LOCAL            },
    [83] = {"CURLE_SSL_ISSUER_ERROR",         OUTCOME_TLS              },
    [84] = {"CURLE_FTP_PRET_FAILED",          OUTCOME_UNKNOWN          },
    [85] = {"CURLE_RTSP_CSEQ_ERROR",          OUTCOME_UNKNOWN          },
    [86] = {"CURLE_RTSP_SESSION_ERROR",       OUTCOME_UNKNOWN          },
    [87] = {"CURLE_FTP_BAD_FILE_LIST",        OUTCOME_UNKNOWN          },
    [88] = {"CURLE_CHUNK_FAILED",             OUTCOME_ABORTED          },
    [89] = {"CURLE_NO_CONNECTION_AVAILABLE",  OUTCOME_LOCAL            },
    [90] = {"CURLE_SSL_PINNEDPUBKEYNOTMATCH", OUTCOME_TLS              },
    [91] = {"CURLE_SSL_INVALIDCERTSTATUS",    OUTCOME_TLS              },
    [92] = {"CURLE_HTTP2_STREAM",             OUTCOME_RESET            },
    [93] = {"CURLE_RECURSIVE_API_CALL",       OUTCOME_LOCAL            },
    [94] = {"CURLE_AUTH_ERROR",               OUTCOME_AUTHENTICATION   },
    [95] = {"CURLE_HTTP3",                    OUTCOME_RESET            },
    [96] = {"CURLE_QUIC_CONNECT_ERROR",       OUTCOME_CONNECT          },
    [97] = {"CURLE_PROXY",                    OUTCOME_CONNECT          }, /* the proxy could not or would not reach the host */
    [98] = {"CURLE_SSL_CLIENTCERT",           OUTCOME_TLS              },
    [99] = {"CURLE_UNRECOVERABLE_POLL",       OUTCOME_LOCAL            },
    [100] = {"CURLE_TOO_LARGE",                OUTCOME_UNKNOWN          }, /* of ours or of theirs */
    [101] = {"CURLE_ECH_REQUIRED",             OUTCOME_TLS              },
};

/* Names that libcurl's header still gives to the codes above. */
static const struct {
    const char *name;
    uint8_t number;
} old_names[] = {
    {"CURLE_FTP_WEIRD_SERVER_REPLY",  8 },
    {"CURLE_FTP_ACCESS_DENIED",       9 },
    {"CURLE_FTP_COULDNT_SET_BINARY",  17},
    {"CURLE_FTP_PARTIAL_FILE",        18},
    {"CURLE_FTP_QUOTE_ERROR",         21},
    {"CURLE_HTTP_NOT_FOUND",          22},
    {"CURLE_FTP_COULDNT_STOR_FILE",   25},
    {"CURLE_OPERATION_TIMEOUTED",     28},
    {"CURLE_HTTP_RANGE_ERROR",        33},
    {"CURLE_FTP_BAD_DOWNLOAD_RESUME", 36},
    {"CURLE_HTTP_PORT_FAILED",        45},
    {"CURLE_UNKNOWN_TELNET_OPTION",   48},
    {"CURLE_TELNET_OPTION_SYNTAX",    49},
    {"CURLE_SSL_CACERT",              60},
    {"CURLE_SSL_PEER_CERTIFICATE",    60},
    {"CURLE_FTP_SSL_FAILED",          64},
    {"CURLE_TFTP_DISKFULL",           70},
    {"CURLE_TFTP_EXISTS",             73},
};

static const char *const type_names[OUTCOME_TYPES] = {
    [OUTCOME_SUCCESS] = "success",
    [OUTCOME_DNS] = "dns",
    [OUTCOME_CONNECT] = "connect",
    [OUTCOME_TLS] = "tls",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_RESET] = "reset",
    [OUTCOME_RATE_LIMIT] = "rate_limit",
    [OUTCOME_AUTHENTICATION] = "authentication",
    [OUTCOME_PERMISSION_DENIED] = "permission_denied",
    [OUTCOME_NOT_FOUND] = "not_found",
    [OUTCOME_BAD_REQUEST] = "bad_request",
    [OUTCOME_SERVER_ERROR] = "server_error",
    [OUTCOME_CIRCUIT_OPEN] = "circuit_open",
    [OUTCOME_LIMITED] = "limited",
    [OUTCOME_ABORTED] = "aborted",
    [OUTCOME_LOCAL] = "local",
    [OUTCOME_UNKNOWN] = "unknown",
};

struct outcome outcome_of_curl(int code)
{
    struct outcome outcome = {.type = OUTCOME_UNKNOWN};

    if (code == 0)
        return (struct outcome){.type = OUTCOME_SUCCESS};
    if (code < 0 || code >= OUTCOME_CURL_CODES)
        return outcome;
    outcome.curl = (uint8_t)code;
    if (codes[code].name != NULL)
        outcome.type = codes[code].type;
    return outcome;
}

/* connect(2), and the ICMP errors that Linux turns into SO_ERROR (net/ipv4/icmp.c, icmp_err_convert). */
static enum outcome_type type_of_errno(int os_error)
{
    switch (os_error) {
    case 0:
        return OUTCOME_SUCCESS;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EPROTO:
    case ENOENT: /* no such unix socket: nobody listens yet */
    case EAGAIN: /* a unix socket whose backlog is full */
        return OUTCOME_CONNECT;
    case ETIMEDOUT:
        return OUTCOME_TIMEOUT;
    case ECONNRESET:
    case ENETRESET:
    case EPIPE:
    case ESHUTDOWN:
        return OUTCOME_RESET;
    case EINPROGRESS:
    case EALREADY:
    case EINTR: /* not ended yet */
        return OUTCOME_UNKNOWN;
    default: /* EACCES, EADDRNOTAVAIL (no local port left), ECONNABORTED (the socket's last error was not
                read), EBADF, EMFILE: about the call, or this machine */
        return OUTCOME_LOCAL;
    }
}

struct outcome outcome_of_errno(int os_error)
{
    struct outcome outcome = {.type = (uint8_t)type_of_errno(os_error)};

    if (os_error > 0 && os_error <= UINT16_MAX)
        outcome.os_error = (uint16_t)os_error;
    return outcome;
}

static enum outcome_type type_of_status(int status)
{
    if (status < 400)
        return OUTCOME_SUCCESS;
    if (status >= 500)
        return status <= OUTCOME_STATUS_LAST ? OUTCOME_SERVER_ERROR : OUTCOME_UNKNOWN;
    switch (status) {
    case 401:
    case 407:
        return OUTCOME_AUTHENTICATION;
    case 403:
        return OUTCOME_PERMISSION_DENIED;
    case 404:
    case 410:
        return OUTCOME_NOT_FOUND;
    case 429:
        return OUTCOME_RATE_LIMIT;
    default:
        return OUTCOME_BAD_REQUEST;
    }
}

struct outcome outcome_of_status(int status)
{
    struct outcome outcome = {.type = (uint8_t)type_of_status(status)};

    if (status > 0 && status <= UINT16_MAX)
        outcome.status = (uint16_t)status;
    return outcome;
}

const char *outcome_type_name(enum outcome_type type)
{
    return type < OUTCOME_TYPES ? type_names[type] : "unknown";
}

const char *outcome_curl_name(int code)
{
    return code > 0 && code < OUTCOME_CURL_CODES ? codes[code].name : NULL;
}

/* Whether a NUL-terminated name is the text; it ends at the first difference, so no strlen is needed. */
static bool is_name(const char *name, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] == '\0' || name[i] != text[i])
            return false;
    return name[length] == '\0';
}

static bool add_type(struct outcome_set *set, const char *text, size_t length)
{
    for (unsigned type = OUTCOME_SUCCESS + 1; type < OUTCOME_TYPES; type++) {
        if (is_name(type_names[type], text, length)) {
            set->types |= UINT32_C(1) << type;
            return true;
        }
    }
    return false;
}

/* The code of a CURLE_ name, 0 for none. */
static unsigned code_of_name(const char *text, size_t length)
{
    for (unsigned code = 1; code < OUTCOME_CURL_CODES; code++)
        if (codes[code].name != NULL && is_name(codes[code].name, text, length))
            return code;
    for (size_t i = 0; i < sizeof old_names / sizeof *old_names; i++)
        if (is_name(old_names[i].name, text, length))
            return old_names[i].number;
    return 0;
}

static void add_status(struct outcome_set *set, unsigned status)
{
    unsigned bit = status - OUTCOME_STATUS_FIRST;
    set->statuses[bit / 32] |= UINT32_C(1) << bit % 32;
}

/* "503" or "5xx", 400..599: what is less is no failure, and would never be asked for. */
static bool add_statuses(struct outcome_set *set, const char *text, size_t length)
{
    if (length != 3 || text[0] < '4' || text[0] > '5')
        return false;
    unsigned hundreds = (unsigned)(text[0] - '0') * 100;
    if (text[1] == 'x' && text[2] == 'x') {
        for (unsigned status = hundreds; status < hundreds + 100; status++)
            add_status(set, status);
        return true;
    }
    if (text[1] < '0' || text[1] > '9' || text[2] < '0' || text[2] > '9')
        return false;
    add_status(set, hundreds + (unsigned)(text[1] - '0') * 10 + (unsigned)(text[2] - '0'));
    return true;
}

bool outcome_set_add(struct outcome_set *set, const char *text, size_t length)
{
    if (add_statuses(set, text, length) || add_type(set, text, length))
        return true;
    unsigned code = code_of_name(text, length);
    if (code == 0)
        return false;
    set->curl[code / 32] |= UINT32_C(1) << code % 32;
    return true;
}

bool outcome_set_has(const struct outcome_set *set, const struct outcome *outcome)
{
    unsigned status = outcome->status;
    unsigned curl = outcome->curl;

    if (outcome->type < OUTCOME_TYPES && set->types >> outcome->type & 1)
        return true;
    if (curl > 0 && curl < OUTCOME_CURL_CODES && set->curl[curl / 32] >> curl % 32 & 1)
        return true;
    if (status < OUTCOME_STATUS_FIRST || status > OUTCOME_STATUS_LAST)
        return false;
    status -= OUTCOME_STATUS_FIRST;
    return set->statuses[status / 32] >> status % 32 & 1;
}

bool outcome_set_is_empty(const struct outcome_set *set)
{
    uint32_t any = set->types;

    for (size_t i = 0; i < sizeof set->curl / sizeof *set->curl; i++)
        any |= set->curl[i];
    for (size_t i = 0; i < sizeof set->statuses / sizeof *set->statuses; i++)
        any |= set->statuses[i];
    return any == 0;
}
