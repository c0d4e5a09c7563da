/*
 * What curl_easy_getinfo says of a transfer that was not all libcurl's own: of a reply that no server sent
 * (curl/made.h), where libcurl saw another URL than the program's, and of one that was continued
 * (curl/resume.h), where it saw several. It holds until the handle's next transfer.
 */
#ifndef GUSSET_CURL_TOLD_H
#define GUSSET_CURL_TOLD_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct handle;

/* What holds of the whole reply though only its beginning said so; the times are microseconds. */
/* clang-format off */
#define TOLD_LONGS(X) X(RESPONSE_CODE) X(HEADER_SIZE) X(REQUEST_SIZE) X(HTTP_VERSION) X(NUM_CONNECTS) X(REDIRECT_COUNT) \
    X(HTTP_CONNECTCODE) X(SSL_VERIFYRESULT) X(PROXY_SSL_VERIFYRESULT)
#define TOLD_TIMES(X) X(NAMELOOKUP_TIME) X(CONNECT_TIME) X(APPCONNECT_TIME) X(PRETRANSFER_TIME) X(STARTTRANSFER_TIME) \
    X(REDIRECT_TIME)
/* clang-format on */

struct told_first {
#define X(name) long name;
    TOLD_LONGS(X)
#undef X
#define X(name) curl_off_t name;
    TOLD_TIMES(X)
#undef X
    curl_off_t filetime; /* seconds; -1: unknown */
    char *type;          /* NULL: none */
};

/* Of the connection that brought a reply which libcurl got from us. */
enum { TOLD_IP_ROOM = 64 };
struct told_peer {
    char primary_ip[TOLD_IP_ROOM];
    char local_ip[TOLD_IP_ROOM];
    long primary_port;
    long local_port;
    char *redirect_url; /* NULL: none */
};

struct told {
    char *url;            /* CURLINFO_EFFECTIVE_URL; libcurl's memory. NULL: as libcurl says */
    bool is_https;        /* CURLINFO_SCHEME and CURLINFO_PROTOCOL, where libcurl saw http */
    bool has_first;       /* first counts */
    bool has_peer;        /* peer counts */
    bool is_whole;        /* and what follows both */
    bool is_well;         /* it ended well: no error of the kernel's is told */
    bool has_socket;      /* socket counts */
    curl_socket_t socket; /* CURLINFO_ACTIVESOCKET */
    struct told_first first;
    struct told_peer peer;
    curl_off_t size;   /* of the body that the program got */
    curl_off_t length; /* that its head promised; -1: none */
    curl_off_t took_us;
};

/* curl_easy_getinfo of a handle of which something is told otherwise. out: where the answer goes. */
CURLcode told_info(const struct handle *handle, CURLINFO info, void *out);

/* As if the transfer went where the program's options say. Without memory libcurl's own answers remain. */
void told_pretend(struct handle *handle);

/* A transfer broke off, and another one will go on: what the first said holds for both. */
void told_keep(struct handle *handle);

/*
 * The transfer's reply is one that another handle has got, whose transfer began so much later than the call's
 * attempt. After told_pretend, and once more when that transfer is over.
 */
void told_of_other(struct handle *handle, CURL *other, uint64_t later_us);

/* The last of them is over. began_us: when the call did, monotonic. */
void told_whole(struct handle *handle, uint64_t size, int64_t length, uint64_t began_us, bool is_well);

/* The handle is about to leave a multi handle of ours, in which libcurl will look for its connection no more.
 */
void told_of_socket(struct handle *handle);

/* The handle's next transfer begins: libcurl answers again. */
void told_forget(struct handle *handle);

#endif
