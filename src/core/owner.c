#include "core/owner.h"

enum {
    PID_BITS = 22,
    SPACE_BITS = 6,
    UNTIL_BITS = 18,
    SPACE_AT = UNTIL_BITS,
    IMAGE_AT = SPACE_AT + SPACE_BITS,
    IMAGE_BITS = 6,
    STARTED_AT = IMAGE_AT + IMAGE_BITS,
    PID_AT = STARTED_AT + OWNER_STARTED_BITS
};

_Static_assert(PID_AT + PID_BITS == 64, "a word is full");
_Static_assert(OWNER_IMAGES == 1 << IMAGE_BITS, "an image has its bits");
_Static_assert(OWNER_LEASE_MOST_S == 1 << (UNTIL_BITS - 1), "past and future are told apart by halves");

static uint32_t low(uint64_t value, unsigned bits)
{
    return (uint32_t)(value & ((UINT64_C(1) << bits) - 1));
}

uint64_t owner_pack(const struct owner *owner)
{
    return (uint64_t)low(owner->pid, PID_BITS) << PID_AT |
           (uint64_t)low(owner->started, OWNER_STARTED_BITS) << STARTED_AT |
           (uint64_t)low(owner->image, IMAGE_BITS) << IMAGE_AT |
           (uint64_t)low(owner->space, SPACE_BITS) << SPACE_AT | low(owner->until_s, UNTIL_BITS);
}

struct owner owner_unpack(uint64_t word)
{
    return (struct owner){
        .pid = low(word >> PID_AT, PID_BITS),
        .started = low(word >> STARTED_AT, OWNER_STARTED_BITS),
        .image = low(word >> IMAGE_AT, IMAGE_BITS),
        .space = low(word >> SPACE_AT, SPACE_BITS),
        .until_s = low(word, UNTIL_BITS),
    };
}

/* Fibonacci hashing: the product's highest bits depend on all of the address. */
uint32_t owner_image(uint64_t stack)
{
    return stack ? 1 + (uint32_t)((stack * UINT64_C(0x9e3779b97f4a7c15) >> 32) % (OWNER_IMAGES - 1)) : 0;
}

static bool differ(uint32_t one, uint32_t other)
{
    return one && other && one != other;
}

bool owner_is_another(const struct owner *owner, uint64_t started, uint64_t stack)
{
    return differ(owner->started, low(started, OWNER_STARTED_BITS)) ||
           differ(owner->image, owner_image(stack));
}

uint32_t owner_until_s(uint64_t now_s, uint64_t lease_s)
{
    return low(now_s + (lease_s < OWNER_LEASE_MOST_S ? lease_s : OWNER_LEASE_MOST_S - 1), UNTIL_BITS);
}

bool owner_is_expired(const struct owner *owner, uint64_t now_s)
{
    return low(now_s - owner->until_s - 1, UNTIL_BITS) < OWNER_LEASE_MOST_S;
}
