#include "config/draw.h"

#include <stdatomic.h>
#include <string.h>

#include "config/variants.h"
#include "core/siphash.h"
#include "sys/generation.h"
#include "sys/random.h"

/* One for all: the hash must be the same on every machine, and nobody gains by choosing a policy. */
static const uint64_t key[2] = {UINT64_C(0x6775737365742076), UINT64_C(0x617269616e747321)};

static uint64_t hash(const char *text)
{
    return text[0] ? siphash(key, text, strlen(text)) | 1 : 0;
}

struct draw draw_make(const char *request_id, const char *tenant_id)
{
    return (struct draw){hash(request_id), hash(tenant_id)};
}

/* Process numbers would not do: in a container many programs are number 1. */
static uint64_t draw_process(void)
{
    static _Atomic uint64_t seed;
    uint64_t found = atomic_load(&seed), fresh = found ? found : random_word() | 1;

    if (!found && !atomic_compare_exchange_strong(&seed, &found, fresh))
        fresh = found;
    const uint64_t words[2] = {fresh, generation_now()};
    return siphash(key, words, sizeof words);
}

uint64_t draw_for(const struct draw *draw, uint32_t by)
{
    if (draw->request && (by == VARIANTS_BY_ANY || by == VARIANTS_BY_REQUEST))
        return draw->request;
    if (draw->tenant && (by == VARIANTS_BY_ANY || by == VARIANTS_BY_TENANT))
        return draw->tenant;
    return draw_process();
}
