/*
 * What the program gets instead of a failure, where its rule says so: a status in place of the refusal
 * (breaker.reject, limit.reject), or the rule's fallback. Each function that begins such a reply leaves
 * the handle ready for one more transfer, which gives it (curl/made.h).
 */
#ifndef GUSSET_CURL_SUBSTITUTE_H
#define GUSSET_CURL_SUBSTITUTE_H

#include <stdbool.h>

#include "core/verdict.h"

struct call;

/* Whether there is something to give, should the call's tries run out. */
bool substitute_is_there(const struct call *call);

/* The call is refused. Returns whether the program gets a reply for it. */
bool substitute_refusal(struct call *call, const struct verdict *verdict);

/* Its tries ran out. Returns false where the reply cannot be made after all: then the program gets the
 * failure. */
bool substitute_failure(struct call *call, const struct verdict *verdict);

#endif
