/* The built-in policies: what they change of `standard`, as rows of a table. They hold timeout, retry and
 * breaker. */
#ifndef GUSSET_CONFIG_PRESET_H
#define GUSSET_CONFIG_PRESET_H

#include <stdint.h>

#include "config/model.h"

/* The index-th name, NULL behind the last. Static. */
const char *preset_name(unsigned index);

/* Adds the built-in policy to the model. Returns its index, or MODEL_NONE when there is none of that name. */
uint32_t preset_add(struct model *model, const char *name);

#endif
