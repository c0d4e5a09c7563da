/*
 * What comes of a connect's first attempt: done, still on its way, or made again on the same descriptor where
 * the socket may wait.
 */
#ifndef GUSSET_CONNECT_AGAIN_H
#define GUSSET_CONNECT_AGAIN_H

#include "connect/attempt.h"

/* To the end: the call is over then, or pending has it. error: how the first one ended. Returns 0 or an
 * errno. */
int again_until_over(struct attempt *attempt, int error);

/* Makes sure that the socket can be told from another under the same descriptor. */
void again_identify(struct attempt *attempt);

#endif
