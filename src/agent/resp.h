/*
 * Redis' protocol (RESP2): commands written, one reply read at a time, in the caller's memory. What a server
 * says is believed no further than its bytes: a reply that is none, is nested, or is longer than the caller
 * has room for is refused.
 */
#ifndef GUSSET_AGENT_RESP_H
#define GUSSET_AGENT_RESP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum resp_type { RESP_NIL, RESP_STATUS, RESP_ERROR, RESP_INTEGER, RESP_TEXT, RESP_ARRAY };

struct resp_value {
    enum resp_type type;
    const char *text; /* of a status, an error or a text: in the bytes that were read, not NUL-terminated */
    size_t length;
    int64_t number; /* of an integer; of an array how many values follow */
};

/* Writes a command; the words end with NULL. */
void resp_write(FILE *to, const char *const words[]);

/*
 * Reads the reply at the beginning of bytes into values, an array before its items, at most most of them.
 * Returns how many bytes it takes; 0 when it is not whole yet; -EBADMSG when it is none that is understood
 * here.
 */
long resp_read(const char *bytes, size_t length, struct resp_value *values, unsigned most);

#endif
