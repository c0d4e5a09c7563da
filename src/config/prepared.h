/*
 * The policies of an image as a running program sees them: each is made ready at its first use in the
 * process, that is, its templates are expanded and its headers put together.
 */
#ifndef GUSSET_CONFIG_PREPARED_H
#define GUSSET_CONFIG_PREPARED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "config/arena.h"
#include "config/image.h"
#include "config/rules.h"

struct prepared {
    const struct image *image; /* borrowed, as is the arena that all is taken from */
    struct arena *arena;
    _Atomic(const struct rules_policy *) *policies; /* one each; NULL until it is first used */
};

/* False when there is no memory. */
bool prepared_open(struct prepared *prepared, const struct image *image, struct arena *arena);

/* The index-th policy; NULL when there is none, or no memory. One pointer for one index; errno is kept. */
const struct rules_policy *prepared_at(struct prepared *prepared, uint32_t index);

#endif
