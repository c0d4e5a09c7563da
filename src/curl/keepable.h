/*
 * Which replies may be kept for the time when their host is down (curl/keep), and what of them. Not kept is
 * what is somebody's own (a request with credentials or cookies; Set-Cookie, Cache-Control: private or
 * no-store), a part, an encoded body, or what depends on more than is compared.
 */
#ifndef GUSSET_CURL_KEEPABLE_H
#define GUSSET_CURL_KEEPABLE_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct reply;

enum { KEEPABLE_HEAD_MAX = 8 * 1024 };

/* Whether the request asks for what everybody may be given. */
bool keepable_request(const struct call *call);

/* Whether a line of a request's head is another one each time, and none of the reply's business. */
bool keepable_is_of_call(const char *line);

/* Whether the reply, whose lines are held, is good, and for everybody. */
bool keepable_reply(const struct reply *reply);

/* The final block's lines that are worth keeping, without its end. Returns their length; 0: too long. */
size_t keepable_head(const struct reply *reply, char head[KEEPABLE_HEAD_MAX]);

#endif
