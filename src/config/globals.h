/* The settings of the whole file as a running program sees them: their templates are expanded. */
#ifndef GUSSET_CONFIG_GLOBALS_H
#define GUSSET_CONFIG_GLOBALS_H

#include <stdbool.h>

#include "config/arena.h"
#include "config/image.h"
#include "config/rules.h"

/* Fills in what the image says; texts lie in it, or in the arena. False when there is no memory. */
bool globals_expand(struct rules_globals *globals, const struct image *image, struct arena *arena);

#endif
