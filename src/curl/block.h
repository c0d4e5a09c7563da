/*
 * A block of header lines, read as it comes: a reply is one or more of them (1xx, the proxy's answer to
 * CONNECT, redirects that are followed, authentication), and trailers after the last.
 */
#ifndef GUSSET_CURL_BLOCK_H
#define GUSSET_CURL_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block {
    int status;     /* of its first line; 0 before the first block */
    bool has_ended; /* its blank line has come; what follows is another block, or trailers */
    bool has_location;
    int64_t retry_after_ms; /* -1: none */
    int64_t content_length; /* -1: unknown */
};

void block_init(struct block *block);

/* Reads the first line of a transfer as it nearly always is. Returns false, and reads nothing, where it is
 * not. */
static inline bool block_begins_well(struct block *block, const char *line, size_t size)
{
    static const char usual[] = "HTTP/1.1 200";

    if (block->status || size < sizeof usual || memcmp(line, usual, sizeof usual - 1) != 0)
        return false;
    *block = (struct block){.status = 200, .retry_after_ms = -1, .content_length = -1};
    return true;
}

/* Reads a line. Returns whether the block ends with it. */
bool block_read(struct block *block, const char *line, size_t size);

/* As libcurl does, which looks at the first byte alone. */
static inline bool block_is_blank(const char *line, size_t size)
{
    return size > 0 && (line[0] == '\n' || line[0] == '\r');
}

/* Of such a block nothing but its end need be known. */
static inline bool block_is_success(const struct block *block)
{
    return block->status >= 200 && block->status < 300;
}

#endif
