/* From a model to an image: laid out, hashed and sealed. */
#ifndef GUSSET_CONFIG_COMPILE_H
#define GUSSET_CONFIG_COMPILE_H

#include <stddef.h>

#include "config/model.h"
#include "config/source.h"

/*
 * Builds the image into a mapping of its own (munmap ends it). The model must be free of faults and its
 * rules ordered; strings are added to its pool. Returns 0, or -ENOMEM or -EFBIG.
 */
int compile_image(struct model *model, const struct source_paths *paths, const struct source_request *request,
                  void **bytes, size_t *size);

#endif
