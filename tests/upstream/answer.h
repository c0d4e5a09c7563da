/* Turns a settled behaviour into the reply to one request: status, headers, body, fault.
 * Knows neither counts nor sockets. */
#ifndef ANSWER_H
#define ANSWER_H

#include "behave.h"
#include "reply.h"

/* The reply must be empty. */
void answer_compose(const struct behave *behave, const struct request *request, struct reply *reply);

#endif
