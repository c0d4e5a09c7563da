/*
 * Header lines on their way to the program, as libcurl brings them: held until their reply is kept, passed on
 * after, or only looked at where nobody takes any.
 */
#ifndef GUSSET_CURL_LINES_H
#define GUSSET_CURL_LINES_H

#include <stddef.h>

/* libcurl's header callback; data: the call. */
size_t lines_take(char *line, size_t one, size_t count, void *data);

#endif
