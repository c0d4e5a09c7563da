/*
 * What a transfer's result says, and of whom: the host that was asked for, somebody on the way (a proxy,
 * the host that a redirect led to), or this side. Only the first counts against the host's circuit.
 */
#ifndef GUSSET_CURL_BLAME_H
#define GUSSET_CURL_BLAME_H

#include <curl/curl.h>
#include <stdbool.h>

#include "core/outcome.h"

struct call;

struct outcome blame_outcome(const struct call *call, CURLcode code);

/* Whether a failed attempt says nothing about the host that the call was for. */
bool blame_is_elsewhere(const struct call *call, const struct outcome *outcome);

#endif
