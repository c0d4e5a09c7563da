/*
 * A block of header lines, read as it comes: a reply is one or more of them (1xx, the proxy's answer to
 * CONNECT, redirects that are followed, authentication), and trailers after the last.
 */
#ifndef GUSSET_CURL_BLOCK_H
#define GUSSET_CURL_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    int status;     /* of its first line; 0 before the first block */
    bool has_ended; /* its blank line has come; what follows is another block, or trailers */
    bool has_location;
    int64_t retry_after_ms; /* -1: none */
    int64_t content_length; /* -1: unknown */
};

void block_init(struct block *block);

/* Reads a line. Returns whether the block ends with it. */
bool block_read(struct block *block, const char *line, size_t size);

/* Of such a block nothing but its end need be known. */
static inline bool block_is_success(const struct block *block)
{
    return block->status >= 200 && block->status < 300;
}

#endif
