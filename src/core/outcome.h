/*
 * How an attempt ended, as one of few types, whichever door it came through: one table for libcurl's
 * codes, one for errno, one rule for HTTP statuses. Sets of outcomes are what retry.on and breaker.on
 * are compiled to.
 */
#ifndef GUSSET_CORE_OUTCOME_H
#define GUSSET_CORE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome_type {
    OUTCOME_SUCCESS = 0,
    OUTCOME_DNS,
    OUTCOME_CONNECT,
    OUTCOME_TLS,
    OUTCOME_TIMEOUT,
    OUTCOME_RESET,
    OUTCOME_RATE_LIMIT,        /* 429 */
    OUTCOME_AUTHENTICATION,    /* 401, 407 */
    OUTCOME_PERMISSION_DENIED, /* 403 */
    OUTCOME_NOT_FOUND,         /* 404, 410 */
    OUTCOME_BAD_REQUEST,       /* other 4xx */
    OUTCOME_SERVER_ERROR,      /* 5xx */
    OUTCOME_CIRCUIT_OPEN,
    OUTCOME_LIMITED,
    OUTCOME_ABORTED, /* the program's own callback said stop */
    OUTCOME_LOCAL,   /* a cause on this side: missing CA file, the program's own shorter timeout */
    OUTCOME_UNKNOWN,
    OUTCOME_TYPES
};

enum { OUTCOME_CURL_CODES = 128, OUTCOME_STATUS_FIRST = 100, OUTCOME_STATUS_LAST = 599 };

struct outcome {
    uint8_t type;      /* enum outcome_type */
    uint8_t curl;      /* CURLcode, 0 where none */
    uint16_t status;   /* HTTP status, 0 where none */
    uint16_t os_error; /* errno, 0 where none */
};

/* An outcome set: types, CURLE_ codes and statuses, each a bit. Zero is the empty set. */
struct outcome_set {
    uint32_t types;
    uint32_t curl[OUTCOME_CURL_CODES / 32];
    uint32_t statuses[(OUTCOME_STATUS_LAST - OUTCOME_STATUS_FIRST) / 32 + 1];
};

/* From a CURLcode of libcurl 7.68 to 8.x; one this table does not know is OUTCOME_UNKNOWN. */
struct outcome outcome_of_curl(int code);

/* From the errno of connect(2), or of SO_ERROR; 0 is success. What the network does not cause is local. */
struct outcome outcome_of_errno(int os_error);

/* From an HTTP status; below 400 (and 0) is success. */
struct outcome outcome_of_status(int status);

/* "timeout", "rate_limit", ...: the names of the configuration, events and metrics. Static. */
const char *outcome_type_name(enum outcome_type type);

/* "CURLE_COULDNT_CONNECT"; NULL for a code that the table does not know. Static. */
const char *outcome_curl_name(int code);

/*
 * Adds what text names to the set: a type name, a CURLE_ name, a status ("503") or a class ("5xx").
 * Returns false, and leaves the set alone, when it names nothing.
 */
bool outcome_set_add(struct outcome_set *set, const char *text, size_t length);

/* Whether the outcome is in the set by its type, its curl code or its status. */
bool outcome_set_has(const struct outcome_set *set, const struct outcome *outcome);

bool outcome_set_is_empty(const struct outcome_set *set);

#endif
