/* A path, put together without stdio. What does not fit is seen at the end: the length is then the room. */
#ifndef GUSSET_STATE_PATH_H
#define GUSSET_STATE_PATH_H

#include <stddef.h>
#include <stdint.h>

enum { PATH_ROOM = 1024 };

/* Puts more behind the text of that length, in room bytes with its NUL. Returns the new length; room when it
 * has not fitted, and so for all that follows. */
size_t path_append(char *text, size_t length, size_t room, const char *more);

/* The same of a number; base: 2..16. */
size_t path_append_number(char *text, size_t length, size_t room, uint64_t number, unsigned base);

#endif
