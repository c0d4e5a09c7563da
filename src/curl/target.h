/*
 * Where a transfer goes: its URL as a place, a path and a scheme. Plain http and https URLs are read by
 * a parser of our own (50 ns); anything odd in them is left to libcurl's own curl_url (1 µs), because
 * where two parsers differ, a secret goes to the wrong host.
 */
#ifndef GUSSET_CURL_TARGET_H
#define GUSSET_CURL_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/place.h"
#include "sys/libcurl.h"

enum target_scheme { TARGET_HTTP, TARGET_HTTPS, TARGET_OTHER };

enum { TARGET_PATH_MAX = 512 };

struct target {
    enum target_scheme scheme;
    struct place place;
    size_t path_length;         /* of path; longer paths are cut, for filters only */
    char path[TARGET_PATH_MAX]; /* without query and fragment, not NUL-terminated */
};

/*
 * Reads a URL as a transfer would. default_scheme is CURLOPT_DEFAULT_PROTOCOL or NULL; port overrides
 * the URL's where it is not 0 (CURLOPT_PORT). Returns false for a URL without a host (file:), a
 * websocket, or one that libcurl refuses: none of gusset's business.
 */
bool target_read(struct target *target, const struct libcurl *libcurl, const char *url,
                 const char *default_scheme, uint16_t port);

/* The quick parser alone; false when the URL is not plain. For target_read, and to be held against curl_url.
 */
bool target_read_plain(struct target *target, const char *url);

/* Same scheme, host and port: what may see the headers that were meant for one may see them for the other. */
bool target_same_origin(const struct target *a, const struct target *b);
bool target_has_origin(const struct target *target, enum target_scheme scheme, const struct place *place);

#endif
