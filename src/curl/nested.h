/*
 * A program's own retries. Where it makes a failed request once more, its tries multiply ours (`curl
 * --retry 2` over three tries are nine requests), so ours become fewer. What failed is remembered for the
 * process, by a hash of method and URL: a program may take a fresh handle for each try. Only requests
 * without a body count, because two bodies to one URL may be two requests.
 */
#ifndef GUSSET_CURL_NESTED_H
#define GUSSET_CURL_NESTED_H

#include <stdatomic.h>

#include "curl/call.h"

/* Whether any was ever remembered: nothing is looked for in a program that fares well. */
extern atomic_bool nested_any_failed;

static inline bool nested_is_watched(void)
{
    return atomic_load_explicit(&nested_any_failed, memory_order_relaxed);
}

/* How often in a row the program has made this failed request before, each time soon after it failed. */
unsigned nested_repeats(const struct call *call);

/* The call is over: it failed in a way that its policy repeats, or not. */
void nested_ended(const struct call *call);

#endif
