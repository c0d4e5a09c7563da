/*
 * The head of an HTTP/1 request, read strictly: who writes another grammar than RFC 9112's is no browser and
 * no collector. A page that a user visits can make its own name mean this machine (DNS rebinding), and its
 * browser then takes what is here for that page's own; the Host field tells.
 */
#ifndef GUSSET_TOOL_HEAD_H
#define GUSSET_TOOL_HEAD_H

#include <stdbool.h>

enum { HEAD_PATH = 1024 };

struct head {
    bool is_head;         /* the reply's body is not wanted */
    char path[HEAD_PATH]; /* without the query */
};

/*
 * Reads text, which holds the empty line at the end. is_local: only this machine is listened to, so its names
 * are localhost and addresses in numbers. Returns the status of what is wrong, or 200.
 */
int head_read(struct head *head, const char *text, bool is_local);

#endif
