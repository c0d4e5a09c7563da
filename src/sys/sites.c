#include "sys/sites.h"

#include <stdatomic.h>
#include <stddef.h>

/*
 * A slot is one word: the address (48 bits), the count of opened libraries (10, for it only has to differ),
 * the flavour (2) and the number (4). An address has a few slots to lie in.
 */
enum { SLOTS = 64, PROBES = 4, OPENED_MASK = 0x3ff };
_Static_assert(LIBCURL_FLAVOUR_COUNT <= 4, "two bits");

static _Atomic uint64_t slots[SLOTS];

static bool fits(const void *site)
{
    return (uintptr_t)site >> 48 == 0;
}

static uint64_t key_of(enum libcurl_flavour flavour, const void *site, unsigned opened)
{
    return (uint64_t)(uintptr_t)site << 16 | (uint64_t)(opened & OPENED_MASK) << 6 | (uint64_t)flavour << 4;
}

static _Atomic uint64_t *slot_of(const void *site, unsigned probe)
{
    uintptr_t address = (uintptr_t)site;
    return &slots[((address >> 2 ^ address >> 8) + probe) % SLOTS];
}

int sites_find(enum libcurl_flavour flavour, const void *site, unsigned opened)
{
    uint64_t key = key_of(flavour, site, opened);

    for (unsigned i = 0; fits(site) && i < PROBES; i++) {
        uint64_t word = atomic_load_explicit(slot_of(site, i), memory_order_acquire);
        if ((word & ~(uint64_t)SITES_MOST) == key)
            return (int)(word & SITES_MOST);
    }
    return -1;
}

/* What was kept before the last library was opened gives way first. */
void sites_keep(enum libcurl_flavour flavour, const void *site, unsigned opened, unsigned number)
{
    uint64_t key = key_of(flavour, site, opened), age = key & OPENED_MASK << 6;
    _Atomic uint64_t *slot = slot_of(site, 0);

    if (!fits(site) || number > SITES_MOST)
        return;
    for (unsigned i = 0; i < PROBES; i++) {
        _Atomic uint64_t *other = slot_of(site, i);
        if ((atomic_load_explicit(other, memory_order_relaxed) & OPENED_MASK << 6) != age) {
            slot = other;
            break;
        }
    }
    atomic_store_explicit(slot, key | number, memory_order_release);
}
