/*
 * A body's bytes on their way to the program, as libcurl brings them: passed on, by those who look at them,
 * or thrown away with their reply.
 */
#ifndef GUSSET_CURL_BODY_H
#define GUSSET_CURL_BODY_H

#include <stddef.h>

/* libcurl's write callback; data: the call. */
size_t body_take(char *bytes, size_t one, size_t count, void *data);

#endif
