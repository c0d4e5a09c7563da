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

/* Most lines: a field of a success, of which nothing more need be known. Costs a few instructions. */
static inline bool block_is_plain(const struct block *block, const char *line)
{
    return !block->has_ended && block->status >= 200 && block->status < 300 && line[0] > '\r';
}

#endif
