/* The services of an image as a running program sees them: each is expanded at its first use in the process.
 */
#ifndef GUSSET_CONFIG_REGISTRY_H
#define GUSSET_CONFIG_REGISTRY_H

#include <stdatomic.h>

#include "config/arena.h"
#include "config/image.h"
#include "config/rules.h"

struct registry {
    const struct image *image; /* borrowed, as is the arena that all is taken from */
    struct arena *arena;
    _Atomic(const struct rules_service *) *services; /* one each; NULL until it is first used */
};

/* False when there is no memory. */
bool registry_open(struct registry *registry, const struct image *image, struct arena *arena);

/* The index-th service; NULL when there is none, or no memory. One pointer for one index; errno is kept. */
const struct rules_service *registry_at(struct registry *registry, uint32_t index);

#endif
