/*
 * The rule image: a compiled configuration as one flat file that every process maps. Offsets instead of
 * pointers, so it may lie anywhere; it carries a checksum (of the header alone where it is large), and every
 * index is checked where it is used, so that a damaged image can give a wrong answer but never a wild access.
 *
 *   header | policies | rules | keys | patches | headers | words | sources | services | service keys | urls |
 * variants | pool
 */
#ifndef GUSSET_CONFIG_IMAGE_H
#define GUSSET_CONFIG_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/rules.h"
#include "config/settings.h"
#include "config/source.h"
#include "core/pattern.h"
#include "core/variant.h"

#define IMAGE_MAGIC "gusset\n\2"

enum {
    IMAGE_LAYOUT = 10,
    IMAGE_SUMMED_MOST = 32768 /* summing up a larger image would cost each process more than it is worth */
};

/* count items from offset bytes on. */
struct image_span {
    uint32_t offset;
    uint32_t count;
};

/* A rule with one of its paths. Those of the same pattern follow each other, the most specific first. */
struct image_rule {
    uint32_t name;                           /* string: of the pattern */
    uint32_t policy;                         /* index */
    uint32_t path;                           /* string: a glob; 0: any */
    uint32_t methods;                        /* bits; 0: any */
    uint32_t programs_first, programs_count; /* of words; none: any */
    uint32_t origin;                         /* number of the rule in the file, from 0 */
    uint32_t variants_first, variants_count; /* none: policy holds */
    uint32_t by;                             /* enum variants_by */
    uint32_t run;                            /* rules with this pattern, from this one on */
    int32_t mode;                            /* enum policy_mode; -1: the file's */
    uint16_t port;                           /* 0: any */
    uint8_t kind, family, prefix_bits, name_length;
    uint8_t address[16];
};

/* A place in the hash table of patterns; linear probing, a power of two of them. */
struct image_key {
    uint32_t hash;
    uint32_t rule; /* 1 + the first rule of the pattern; 0: free */
};

/* A setting whose value is a template. */
struct image_patch {
    uint32_t setting; /* index in the table of settings */
    uint32_t text;    /* string */
};

struct image_line {
    uint32_t name;
    uint32_t value; /* string: literal, or a template */
    uint32_t override;
};

/* A service of the registry; its addresses are strings, templates or literal. */
struct image_service {
    uint32_t name;   /* string */
    uint32_t policy; /* index: what holds where no rule does */
    uint32_t urls_first, urls_count;
    uint32_t patches_first, patches_count;
    uint32_t has_health;
    struct settings_service values;
};

/* A file that was looked at; the identity of one that was not there is all zero. */
struct image_source {
    struct source_identity identity;
    uint32_t path;
    uint32_t reserved;
};

/* What decided which configuration holds; strings. An image answers for these alone. */
struct image_inputs {
    uint32_t system, named, user, policy, set;
};

struct image_header {
    char magic[8];
    uint32_t layout;
    uint32_t settings; /* how many the table had: their numbers lie in the patches */
    uint64_t size;     /* of the whole image */
    uint64_t checksum; /* of this header, this field being zero, and of the rest where that is not large */
    struct image_span policies, rules, keys, patches, headers, words, sources, services, service_keys, urls,
        variants, pool;
    uint64_t changed_ms; /* the newest of the sources, since 1970 */
    struct image_inputs inputs;
    struct settings_globals globals;
    uint32_t global_patches_first, global_patches_count;
    uint32_t any;            /* 1 + the first rule of "*"; 0: none */
    uint32_t suffix_labels;  /* bits of hash_labels_bit: there are suffixes of so many */
    uint64_t prefixes[2][3]; /* bit n: there are networks of n bits; IPv4, IPv6 */
    uint32_t has_unix;
    uint32_t reserved;
};

struct image { /* an image in memory; borrowed */
    const struct image_header *header;
    size_t size;
};

/* Takes size bytes for an image. Returns 0, or -EBADMSG when they are none, another layout's or damaged. */
int image_attach(struct image *image, const void *bytes, size_t size);

/* The checksum that a header should carry; the image that it heads is there whole. */
uint64_t image_checksum(const struct image_header *header);

/* Whether the image was made for these paths and this request. */
bool image_answers(const struct image *image, const struct source_paths *paths,
                   const struct source_request *request);

/* Whether every file that it was made of is still what it was, and those that were missing are missing. */
bool image_is_fresh(const struct image *image);

/* The sizes of those files now, added up. */
uint64_t image_source_bytes(const struct image *image);

/* Items by index; NULL when there is no such item. Strings: "" then. */
const struct policy *image_policy(const struct image *image, uint32_t index);
const struct image_patch *image_patch(const struct image *image, uint32_t index);
const struct image_line *image_line(const struct image *image, uint32_t index);
const struct image_rule *image_rule(const struct image *image, uint32_t index);
const struct image_service *image_service(const struct image *image, uint32_t index);
const struct variant *image_variants(const struct image *image, uint32_t first, uint32_t count); /* of all */
const struct image_key *image_keys(const struct image *image,
                                   struct image_span span);        /* a table of them, all */
const char *image_word(const struct image *image, uint32_t index); /* NULL likewise */
const char *image_url(const struct image *image, uint32_t index);
const char *image_string(const struct image *image, uint32_t offset);

#endif
