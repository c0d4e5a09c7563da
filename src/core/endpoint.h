/*
 * The address of a service as its configuration spells it: "http://localhost:8001/api/v1",
 * "tcp://10.0.0.5:5432",
 * "//cache.internal", or "srv:_http._tcp.users.internal", a DNS name under which hosts and ports are found.
 */
#ifndef GUSSET_CORE_ENDPOINT_H
#define GUSSET_CORE_ENDPOINT_H

#include "core/place.h"

enum endpoint_scheme { ENDPOINT_ANY, ENDPOINT_HTTP, ENDPOINT_HTTPS };

enum { ENDPOINT_PATH_MAX = 512 };

struct endpoint {
    enum endpoint_scheme scheme; /* ENDPOINT_ANY: whatever is spoken there */
    bool is_srv;                 /* place names SRV records; it has no port */
    struct place place;          /* port 0: none is said, the one that was asked for holds */
    uint16_t path_length;        /* 0: none; "/api/v1" has no final slash */
    const char *path;            /* in the text */
};

enum endpoint_fault {
    ENDPOINT_FINE,
    ENDPOINT_BAD_FORM,    /* no scheme, or nothing behind it */
    ENDPOINT_BAD_HOST,    /* no name or address */
    ENDPOINT_BAD_PORT,    /* not 1..65535 */
    ENDPOINT_BAD_PATH,    /* a blank or control character in it, a query or fragment, too long */
    ENDPOINT_BAD_SRV,     /* not "_service._proto.domain" */
    ENDPOINT_CREDENTIALS, /* user or password in it */
};

/* Reads an address; path is borrowed from text. Returns ENDPOINT_FINE, or what is wrong. */
enum endpoint_fault endpoint_parse(struct endpoint *out, const char *text, size_t length);

/* What was expected, for a fault. Static. */
const char *endpoint_fault_text(enum endpoint_fault fault);

/* Of an SRV name: the part behind its two labels, "users.internal" of "_http._tcp.users.internal". */
const char *endpoint_srv_domain(const struct endpoint *endpoint);

/* "http", "https" or "" */
const char *endpoint_scheme_name(enum endpoint_scheme scheme);

#endif
