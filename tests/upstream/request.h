/* The head of an HTTP/1.x request: where it ends, and what of it matters here.
 * Spans point into the bytes that were parsed and live as long as they do. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_HEAD_MOST = 64 * 1024 };

struct span {
    const char *at;
    size_t length;
};

struct request {
    struct span head; /* request line and headers with the empty line, as received */
    struct span method;
    struct span path;  /* as sent, not decoded; without scheme and host */
    struct span query; /* empty if there is none */
    struct span none_match;
    uint64_t length; /* of the body, when not chunked */
    unsigned minor;  /* of HTTP/1.x */
    bool is_head;    /* the method is HEAD */
    bool chunked;
    bool keeps;   /* the client wants the connection kept */
    bool expects; /* 100-continue */
    bool authorized;
};

/* Length of the head at the front of bytes, or 0 if its end has not come. *scanned remembers how far
 * an earlier call looked; start with 0. */
size_t request_head_length(const char *bytes, size_t length, size_t *scanned);

/* NULL, or a sentence that says what is wrong with the head. */
const char *request_parse(struct request *request, const char *head, size_t length);

/* Drops the spans, before the bytes go away; the rest stays. */
void request_forget(struct request *request);

bool request_has_body(const struct request *request);

#endif
