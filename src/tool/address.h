/*
 * What a user types for a place: HOST, HOST:PORT, unix:/PATH or a URL. Userinfo, query and fragment are
 * cut where they are met, so that nothing behind this file can print them.
 */
#ifndef GUSSET_TOOL_ADDRESS_H
#define GUSSET_TOOL_ADDRESS_H

#include <stdbool.h>

#include "core/place.h"

enum { ADDRESS_PATH_MOST = 2048 };

struct address {
    struct place place; /* port 0 where none was given or follows from the scheme */
    bool is_url;
    bool is_encrypted;            /* the URL says https */
    char path[ADDRESS_PATH_MOST]; /* of a URL, at least "/" */
    size_t path_length;
};

/* Returns NULL, or a sentence about what is wrong, which holds nothing of the text. */
const char *address_parse(struct address *address, const char *text);

/* Whether the text of a slot or event ("name:port") is this place; where no port was given, any port of it.
 */
bool address_matches(const struct address *address, const char *host);

#endif
