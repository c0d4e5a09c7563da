/* Replies to HTTP requests, whole and in memory: a page of the server's, or what is wrong with what was
 * asked. */
#ifndef GUSSET_TOOL_RESPOND_H
#define GUSSET_TOOL_RESPOND_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/serve.h"

/* To a head (up to its empty line at least); is_full: no page just now. Heap; NULL where memory fails. */
char *respond_to(const struct serve *serve, const char *head, bool is_full, size_t *length);

/* To what could not be read: a status of 400 and above. Heap; NULL where memory fails. */
char *respond_with(const struct serve *serve, int status, size_t *length);

#endif
