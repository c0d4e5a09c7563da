/* Where the rules of a process come from: an image that somebody has compiled before, or one compiled now. */
#ifndef GUSSET_CONFIG_SUPPLY_H
#define GUSSET_CONFIG_SUPPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "config/image.h"
#include "config/source.h"

/*
 * Finds the image of what holds for the request; where it is missing, stale or damaged it is compiled first
 * if may_compile (this loads libconfig and allocates), else the result is -ESTALE. Returns 0, image->header
 * NULL when there is no configuration at all; or -errno, with a sentence "file:line: ..." in text, which is
 * empty before (NUL-terminated, cut).
 */
int supply_image(struct image *image, const struct source_request *request, bool may_compile, char *text,
                 size_t size);

#endif
