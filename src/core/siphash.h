/*
 * SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012): a hash under a key. Whoever does not know the
 * key can neither find two texts of the same hash nor guess a text by its hash.
 */
#ifndef GUSSET_CORE_SIPHASH_H
#define GUSSET_CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t length);

#endif
