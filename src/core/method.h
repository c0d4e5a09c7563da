/* HTTP methods as bits, so that a rule's list of them is one word. */
#ifndef GUSSET_CORE_METHOD_H
#define GUSSET_CORE_METHOD_H

#include <stddef.h>
#include <stdint.h>

/* One bit a method; the names are compared as RFC 9110 says, with their case. */
/* clang-format off */
#define METHOD_LIST(X)                                                                             \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(CONNECT) X(OPTIONS) X(TRACE) X(PATCH) X(PROPFIND)    \
    X(PROPPATCH) X(MKCOL) X(COPY) X(MOVE) X(LOCK) X(UNLOCK) X(REPORT) X(SEARCH) X(MKACTIVITY)      \
    X(CHECKOUT) X(MERGE) X(QUERY)
/* clang-format on */

enum method_index {
#define X(name) METHOD_INDEX_##name,
    METHOD_LIST(X)
#undef X
        METHOD_COUNT
};

enum method {
#define X(name) METHOD_##name = 1 << METHOD_INDEX_##name,
    METHOD_LIST(X)
#undef X
        METHOD_OTHER = 1 << METHOD_COUNT, /* any name that is not listed */
    METHOD_ALL = (1 << (METHOD_COUNT + 1)) - 1
};

/* The bit of a name; METHOD_OTHER when it is not listed. */
uint32_t method_from_name(const char *name, size_t length);

/* The name of one bit; "other" for METHOD_OTHER. Static. */
const char *method_name(uint32_t method);

#endif
