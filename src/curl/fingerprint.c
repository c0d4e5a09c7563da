#include "curl/fingerprint.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/siphash.h"
#include "sys/random.h"

/* clang-format off */

/* What concerns a request alone: the URL (libcurl itself compares where it leads), headers, bodies, callbacks and
 * their data, times. MAXCONNECTS is the pool's to limit. */
#define HARMLESS(X)                                                                                                    \
    X(URL) X(PORT) X(CURLU) X(PATH_AS_IS) X(DEFAULT_PROTOCOL) X(PROTOCOLS) X(PROTOCOLS_STR) X(REDIR_PROTOCOLS)         \
    X(REDIR_PROTOCOLS_STR) X(REQUEST_TARGET) X(CUSTOMREQUEST) X(HTTPGET) X(NOBODY) X(POST) X(PUT) X(UPLOAD)            \
    X(POSTFIELDS) X(COPYPOSTFIELDS) X(POSTFIELDSIZE) X(POSTFIELDSIZE_LARGE) X(MIMEPOST) X(HTTPPOST) X(MIME_OPTIONS)    \
    X(POSTREDIR) X(INFILESIZE) X(INFILESIZE_LARGE) X(RESUME_FROM) X(RESUME_FROM_LARGE) X(RANGE) X(FILETIME)            \
    X(TIMECONDITION) X(TIMEVALUE) X(TIMEVALUE_LARGE) X(MAXFILESIZE) X(MAXFILESIZE_LARGE) X(CRLF) X(TRANSFERTEXT)       \
    X(HTTPHEADER) X(USERAGENT) X(REFERER) X(AUTOREFERER) X(ACCEPT_ENCODING) X(TRANSFER_ENCODING)                       \
    X(HTTP_CONTENT_DECODING) X(HTTP_TRANSFER_DECODING) X(IGNORE_CONTENT_LENGTH) X(HTTP200ALIASES) X(HTTP09_ALLOWED)    \
    X(EXPECT_100_TIMEOUT_MS) X(KEEP_SENDING_ON_ERROR) X(FOLLOWLOCATION) X(MAXREDIRS) X(UNRESTRICTED_AUTH)              \
    X(COOKIE) X(COOKIEFILE) X(COOKIEJAR) X(COOKIELIST) X(COOKIESESSION) X(FAILONERROR) X(HEADER)                       \
    X(SUPPRESS_CONNECT_HEADERS) X(WRITEFUNCTION) X(WRITEDATA) X(READFUNCTION) X(READDATA) X(HEADERFUNCTION)            \
    X(HEADERDATA) X(SEEKFUNCTION) X(SEEKDATA) X(IOCTLFUNCTION) X(IOCTLDATA) X(PREREQFUNCTION) X(PREREQDATA)            \
    X(TRAILERFUNCTION) X(TRAILERDATA) X(NOPROGRESS) X(PROGRESSFUNCTION) X(XFERINFOFUNCTION) X(XFERINFODATA)            \
    X(DEBUGDATA) X(SSL_CTX_DATA) X(SOCKOPTDATA) X(OPENSOCKETDATA) X(CLOSESOCKETDATA) X(RESOLVER_START_DATA)            \
    X(SSH_KEYDATA) X(SSH_HOSTKEYDATA) X(INTERLEAVEDATA) X(CHUNK_DATA) X(FNMATCH_DATA) X(HSTSREADDATA)                  \
    X(HSTSWRITEDATA) X(VERBOSE) X(STDERR) X(ERRORBUFFER) X(PRIVATE) X(NOSIGNAL) X(QUICK_EXIT)                          \
    X(TIMEOUT) X(TIMEOUT_MS) X(CONNECTTIMEOUT) X(CONNECTTIMEOUT_MS) X(SERVER_RESPONSE_TIMEOUT) X(LOW_SPEED_LIMIT)      \
    X(LOW_SPEED_TIME) X(HAPPY_EYEBALLS_TIMEOUT_MS) X(MAX_SEND_SPEED_LARGE) X(MAX_RECV_SPEED_LARGE) X(BUFFERSIZE)       \
    X(UPLOAD_BUFFERSIZE) X(MAXCONNECTS) X(CONNECT_ONLY)

/* Texts that libcurl copies. A text that is not listed here is a pointer that cannot be compared. */
#define TEXTS(X)                                                                                                       \
    X(USERPWD) X(USERNAME) X(PASSWORD) X(XOAUTH2_BEARER) X(LOGIN_OPTIONS) X(SASL_AUTHZID) X(AWS_SIGV4) X(NETRC_FILE)   \
    X(SERVICE_NAME) X(PROXY) X(PRE_PROXY) X(NOPROXY) X(PROXYUSERPWD) X(PROXYUSERNAME) X(PROXYPASSWORD)                 \
    X(PROXY_SERVICE_NAME) X(SOCKS5_GSSAPI_SERVICE) X(INTERFACE) X(UNIX_SOCKET_PATH) X(ABSTRACT_UNIX_SOCKET)            \
    X(DNS_SERVERS) X(DNS_INTERFACE) X(DNS_LOCAL_IP4) X(DNS_LOCAL_IP6) X(DOH_URL) X(ALTSVC) X(HSTS)                     \
    X(CAINFO) X(CAPATH) X(CRLFILE) X(ISSUERCERT) X(PINNEDPUBLICKEY) X(SSLCERT) X(SSLCERTTYPE) X(SSLKEY)                \
    X(SSLKEYTYPE) X(KEYPASSWD) X(SSLENGINE) X(SSL_CIPHER_LIST) X(TLS13_CIPHERS) X(SSL_EC_CURVES) X(RANDOM_FILE)        \
    X(EGDSOCKET) X(TLSAUTH_USERNAME) X(TLSAUTH_PASSWORD) X(TLSAUTH_TYPE) X(PROXY_CAINFO) X(PROXY_CAPATH)               \
    X(PROXY_CRLFILE) X(PROXY_ISSUERCERT) X(PROXY_PINNEDPUBLICKEY) X(PROXY_SSLCERT) X(PROXY_SSLCERTTYPE)                \
    X(PROXY_SSLKEY) X(PROXY_SSLKEYTYPE) X(PROXY_KEYPASSWD) X(PROXY_SSL_CIPHER_LIST) X(PROXY_TLS13_CIPHERS)             \
    X(PROXY_TLSAUTH_USERNAME) X(PROXY_TLSAUTH_PASSWORD) X(PROXY_TLSAUTH_TYPE)
/* clang-format on */

enum kind { UNLISTED, HARMLESS_OPTION = FINGERPRINT_HARMLESS, TEXT, NUMBER, POINTER };

const uint8_t fingerprint_kinds[FINGERPRINT_OPTIONS] = {
#define X(name) [CURLOPT_##name % FINGERPRINT_OPTION_TYPE] = HARMLESS_OPTION,
    HARMLESS(X)
#undef X
#define X(name) [CURLOPT_##name % FINGERPRINT_OPTION_TYPE] = TEXT,
        TEXTS(X)
#undef X
};

static enum kind kind_of(CURLoption option)
{
    unsigned number = (unsigned)option % FINGERPRINT_OPTION_TYPE;

    if (number < FINGERPRINT_OPTIONS && fingerprint_kinds[number] != UNLISTED)
        return (enum kind)fingerprint_kinds[number];
    if (option < CURLOPTTYPE_OBJECTPOINT || (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB))
        return NUMBER;
    return POINTER;
}

/*
 * Numbers that leave a handle alone. FRESH_CONNECT and FORBID_REUSE say so themselves. NTLM and Negotiate
 * authenticate the connection and not the request. A reused connection does not tell its certificates, and
 * says that they are good (CURLINFO_SSL_VERIFYRESULT) where nobody verified them. With CURLHEADER_UNIFIED
 * a proxy heard the headers of whoever opened the tunnel.
 */
static bool is_alone(const struct fingerprint_part *part)
{
    static const uint64_t bound = CURLAUTH_NTLM | CURLAUTH_NTLM_WB | CURLAUTH_NEGOTIATE;

    switch ((int)part->option) {
    case CURLOPT_FRESH_CONNECT:
    case CURLOPT_FORBID_REUSE:
    case CURLOPT_CERTINFO:
        return part->value != 0;
    case CURLOPT_HTTPAUTH:
    case CURLOPT_PROXYAUTH:
        return part->value & bound;
    case CURLOPT_SSL_VERIFYPEER:
    case CURLOPT_PROXY_SSL_VERIFYPEER:
    case CURLOPT_DOH_SSL_VERIFYPEER:
        return part->value == 0;
    case CURLOPT_HEADEROPT:
        return part->value == CURLHEADER_UNIFIED;
    }
    return kind_of((CURLoption)part->option) == POINTER && part->value;
}

/* Of options that write to the same place, the later wins: what it overwrote is forgotten. */
static const struct {
    CURLoption option;
    CURLoption overwritten[2];
} overwriting[] = {
    {CURLOPT_USERPWD,              {CURLOPT_USERNAME, CURLOPT_PASSWORD}          },
    {CURLOPT_PROXYUSERPWD,         {CURLOPT_PROXYUSERNAME, CURLOPT_PROXYPASSWORD}},
    {CURLOPT_UNIX_SOCKET_PATH,     {CURLOPT_ABSTRACT_UNIX_SOCKET}                },
    {CURLOPT_ABSTRACT_UNIX_SOCKET, {CURLOPT_UNIX_SOCKET_PATH}                    },
};

static struct fingerprint_part *find(struct fingerprint *fingerprint, CURLoption option)
{
    for (unsigned i = 0; i < fingerprint->count; i++)
        if (fingerprint->parts[i].option == (uint32_t)option)
            return &fingerprint->parts[i];
    return NULL;
}

static void drop(struct fingerprint *fingerprint, CURLoption option)
{
    struct fingerprint_part *part = option ? find(fingerprint, option) : NULL;

    if (!part)
        return;
    *part = fingerprint->parts[--fingerprint->count];
    fingerprint->is_known = false;
}

static void overwrite(struct fingerprint *fingerprint, CURLoption option)
{
    for (unsigned i = 0; i < sizeof overwriting / sizeof overwriting[0]; i++)
        for (unsigned j = 0; overwriting[i].option == option && j < 2; j++)
            drop(fingerprint, overwriting[i].overwritten[j]);
}

static void put(struct fingerprint *fingerprint, CURLoption option, uint64_t value)
{
    struct fingerprint_part *part = find(fingerprint, option);

    if (part && part->value == value)
        return;
    fingerprint->is_known = false;
    if (!part && fingerprint->count == FINGERPRINT_PARTS) {
        fingerprint->is_over = true;
        return;
    }
    if (!part)
        part = &fingerprint->parts[fingerprint->count++];
    *part = (struct fingerprint_part){(uint32_t)option, value};
}

struct key {
    uint64_t words[2];
};

/* Made once; a child of fork keeps its parent's, with the parts that were made under it. NULL: no memory. */
static const uint64_t *own_key(void)
{
    static _Atomic(struct key *) own;
    struct key *known = atomic_load_explicit(&own, memory_order_acquire);

    if (known)
        return known->words;
    struct key *made = malloc(sizeof *made);
    if (!made)
        return NULL;
    random_key(made->words);
    if (atomic_compare_exchange_strong(&own, &known, made))
        return made->words;
    free(made);
    return known->words;
}

uint64_t fingerprint_text(const char *text)
{
    const uint64_t *key = own_key();
    uint64_t hash = key ? siphash(key, text, strlen(text)) : 0;
    return hash || !key ? hash : 1;
}

void fingerprint_note(struct fingerprint *fingerprint, CURLoption option, uint64_t word)
{
    enum kind kind = kind_of(option);
    const char *text = (const char *)(uintptr_t)word;

    if (kind == TEXT)
        overwrite(fingerprint, option);
    if (kind == TEXT && text && !(word = fingerprint_text(text)))
        fingerprint->is_over = true;
    if (kind == POINTER && !word) /* as if it had never been set */
        drop(fingerprint, option);
    else
        put(fingerprint, option, word);
}

static uint64_t sum_of(const struct fingerprint *fingerprint)
{
    const uint64_t *key = own_key();
    uint64_t sum = 1;

    if (!key || fingerprint->is_over)
        return 0;
    for (unsigned i = 0; i < fingerprint->count; i++) {
        const struct fingerprint_part *part = &fingerprint->parts[i];
        uint64_t words[2] = {part->option, part->value};
        if (is_alone(part))
            return 0;
        sum += siphash(key, words, sizeof words);
    }
    return sum;
}

uint64_t fingerprint_of(struct fingerprint *fingerprint)
{
    if (!fingerprint->is_known) {
        fingerprint->sum = sum_of(fingerprint);
        fingerprint->is_known = true;
    }
    return fingerprint->sum;
}
