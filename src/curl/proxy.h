/*
 * Whether a proxy may stand between a transfer and its host. libcurl takes one from its option or from
 * the environment, and tells which it took only since 8.7; this follows its rules for both.
 */
#ifndef GUSSET_CURL_PROXY_H
#define GUSSET_CURL_PROXY_H

#include <stdbool.h>

#include "curl/handles.h"

/* Whether the exceptions (CURLOPT_NOPROXY, or the environment's NO_PROXY) name the place. */
bool proxy_is_excepted(const struct handle *handle, const struct place *place);

/* scheme and place: of the URL that the handle wears. */
bool proxy_may_be_used(const struct handle *handle, enum target_scheme scheme, const struct place *place);

#endif
