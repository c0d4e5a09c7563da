/*
 * The hashes of patterns, under which an image keeps its rules: of a name or unix path whole, of a suffix
 * label by label from its end, so that one walk over a name gives the hashes of all its suffixes.
 */
#ifndef GUSSET_CONFIG_HASH_H
#define GUSSET_CONFIG_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/pattern.h"
#include "core/place.h"

enum { HASH_LABELS_MOST = 32, HASH_NAME_ROOM = PLACE_NAME_MAX + 1 };

/* Of a name, a unix path, or a suffix (at most PLACE_NAME_MAX bytes); and of a network. */
uint32_t hash_name(enum pattern_kind kind, const char *name, size_t length);
uint32_t hash_network(enum place_family family, unsigned prefix_bits, const uint8_t address[16]);

/* Labels of a suffix (".example.com" has two), as a bit: bit n - 1 says n of them, the last bit that many or
 * more. */
uint32_t hash_labels_bit(unsigned labels);

/* A suffix of a name, which begins with its dot. */
struct hash_suffix {
    uint32_t hash; /* as hash_name has it */
    uint8_t at;    /* where it begins */
};

/*
 * Walks a name of length >= 1, in a room of HASH_NAME_ROOM bytes, from its last dot to its first. Keeps the
 * suffixes of wanted lengths (bits of hash_labels_bit), the shortest first. Returns how many.
 */
unsigned hash_suffixes(const char *name, unsigned length, uint32_t wanted, struct hash_suffix *suffixes);

#endif
