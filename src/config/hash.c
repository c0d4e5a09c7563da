#include "config/hash.h"

#include <endian.h>
#include <string.h>

enum { SEED = 0x67757373 };

_Static_assert(HASH_NAME_ROOM % 8 == 0, "a name's room is read in whole words");

static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ state >> 32;
}

static uint32_t finish(uint64_t state, unsigned kind)
{
    state = (state ^ kind) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(state >> 32);
}

static uint64_t load_8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t load_4(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* A name, or a label with its dot, length >= 1: whole words, and the rest in one that may overlap itself. */
static inline uint64_t add_text(uint64_t state, const char *text, size_t length)
{
    for (; length > 8; text += 8, length -= 8)
        state = mix(state, load_8(text));
    if (length >= 4)
        return mix(state + length, load_4(text) | load_4(text + length - 4) << 32);
    return mix(state + length, (uint64_t)(uint8_t)text[0] << 16 | (uint64_t)(uint8_t)text[length / 2] << 8 |
                                   (uint8_t)text[length - 1]);
}

uint32_t hash_labels_bit(unsigned labels)
{
    return UINT32_C(1) << ((labels < HASH_LABELS_MOST ? labels : HASH_LABELS_MOST) - 1);
}

/* The bit of one label more; the last one stays. */
static uint32_t next_depth(uint32_t bit)
{
    return bit >> (HASH_LABELS_MOST - 1) ? bit : bit << 1;
}

/* Where the dots are among eight bytes: the high bit of each, the first byte lowest. */
static uint64_t dots_in(const char *bytes)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word = le64toh(load_8(bytes)) ^ UINT64_C(0x2e2e2e2e2e2e2e2e);
    return ~(((word & low) + low) | word | low);
}

unsigned hash_suffixes(const char *name, unsigned length, uint32_t wanted, struct hash_suffix *suffixes)
{
    unsigned count = 0, end = length;
    uint32_t depth_bit = hash_labels_bit(1);
    uint64_t state = SEED;

    for (unsigned word = (length - 1) / 8 + 1; word-- > 0;) {
        uint64_t dots = dots_in(name + word * 8);
        if (word * 8 + 8 > length)
            dots &= (UINT64_C(1) << (length - word * 8) * 8) - 1; /* what lies behind the name */
        while (dots != 0) {
            unsigned top = 63 - (unsigned)__builtin_clzll(dots);
            unsigned at = word * 8 + top / 8;
            dots ^= UINT64_C(1) << top;
            state = add_text(state, name + at, end - at);
            end = at;
            if (wanted & depth_bit)
                suffixes[count++] = (struct hash_suffix){finish(state, PATTERN_SUFFIX), (uint8_t)at};
            depth_bit = next_depth(depth_bit);
        }
    }
    return count;
}

/* Apart: only who compiles asks, and names have no need of the room. */
static __attribute__((noinline)) uint32_t of_suffix(const char *suffix, size_t length)
{
    char room[HASH_NAME_ROOM] = "";
    struct hash_suffix suffixes[HASH_NAME_ROOM];

    memcpy(room, suffix, length < HASH_NAME_ROOM ? length : HASH_NAME_ROOM - 1);
    unsigned count = length > 0 ? hash_suffixes(room, (unsigned)length, UINT32_MAX, suffixes) : 0;
    return count > 0 ? suffixes[count - 1].hash : finish(SEED, PATTERN_SUFFIX);
}

uint32_t hash_name(enum pattern_kind kind, const char *name, size_t length)
{
    if (kind == PATTERN_SUFFIX)
        return of_suffix(name, length);
    return finish(length > 0 ? add_text(SEED, name, length) : SEED, kind);
}

uint32_t hash_network(enum place_family family, unsigned prefix_bits, const uint8_t address[16])
{
    const char *bytes = (const char *)address;
    return finish(mix(mix(SEED, load_8(bytes)), load_8(bytes + 8)), (unsigned)family << 8 | prefix_bits);
}
