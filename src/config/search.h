/*
 * What an image says of a place: by hash, so that finding a rule does not depend on how many there are, only
 * on how many share the pattern that matches.
 */
#ifndef GUSSET_CONFIG_SEARCH_H
#define GUSSET_CONFIG_SEARCH_H

#include "config/image.h"

/* The most specific rule that matches, program being the name of the running one; NULL when none does. */
const struct image_rule *search_rule(const struct image *image, const struct rules_query *query,
                                     const char *program);

/* The number of the service with this name, in small letters; -1: there is none. */
int32_t search_service(const struct image *image, const char *name, size_t length);

#endif
