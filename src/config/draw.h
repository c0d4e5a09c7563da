/*
 * What tells this process apart where a rule has variants: hashes that are the same wherever the same request
 * id or tenant is, and one that the process has for itself.
 */
#ifndef GUSSET_CONFIG_DRAW_H
#define GUSSET_CONFIG_DRAW_H

#include <stdint.h>

struct draw {
    uint64_t request, tenant; /* 0: it has none */
};

/* The texts of the context, expanded; "" where there is none. */
struct draw draw_make(const char *request_id, const char *tenant_id);

/*
 * The hash that decides, by as in config/variants.h; where the process has no such text, its own. That one is
 * new in every forked child, and the same as long as the process lives, whatever rules hold.
 */
uint64_t draw_for(const struct draw *draw, uint32_t by);

#endif
