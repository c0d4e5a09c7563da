#include "config/search.h"

#include <endian.h>
#include <string.h>

#include "config/hash.h"
#include "config/order.h"

/* What is looked for in one look-up. */
struct search {
    const struct image *image;
    const struct rules_query *query;
    const char *program;
};

static bool has_program(const struct search *search, const struct image_rule *rule)
{
    for (uint32_t i = 0; i < rule->programs_count; i++) {
        const char *program = image_word(search->image, rule->programs_first + i);
        if (!program)
            return false;
        if (strcmp(program, search->program) == 0)
            return true;
    }
    return rule->programs_count == 0;
}

/* Whether the rule's filters let the call pass; its pattern, but for the port, is known to match. */
static bool passes(const struct search *search, const struct image_rule *rule)
{
    const struct rules_query *query = search->query;
    if (rule->port != 0 && rule->port != query->place->port)
        return false;
    if (rule->methods != 0 && !(rule->methods & query->method))
        return false; /* the connect door knows no method, so a rule that asks for one is not for it */
    if (rule->path != 0 && (!query->path || !order_glob_matches(image_string(search->image, rule->path),
                                                                query->path, query->path_length)))
        return false;
    return rule->programs_count == 0 || has_program(search, rule);
}

/* The first rule of a pattern's run that lets the call pass. */
static const struct image_rule *choose(const struct search *search, uint32_t first)
{
    const struct image_rule *rule = image_rule(search->image, first);
    uint32_t run = rule ? rule->run : 0;
    for (uint32_t i = 0; i < run && rule; rule = image_rule(search->image, first + ++i))
        if (passes(search, rule))
            return rule;
    return NULL;
}

static bool is_name(const struct image *image, const struct image_rule *rule, enum pattern_kind kind,
                    const char *name, size_t length)
{
    uint64_t end = (uint64_t)rule->name + length;
    return rule->kind == kind && rule->name_length == length && end < image->header->pool.count &&
           memcmp(image_string(image, rule->name), name, length) == 0;
}

/* A hash table of keys, step by step: 1 + the rule of the next key with this hash, 0 when there is no more.
 */
static uint32_t next_key(const struct image *image, struct image_span span, uint32_t hash, uint32_t *probe)
{
    const struct image_key *keys = image_keys(image, span);
    for (; *probe < span.count; ++*probe) {
        const struct image_key *key = &keys[(hash + *probe) & (span.count - 1)];
        if (key->rule == 0)
            return 0;
        if (key->hash == hash) {
            ++*probe;
            return key->rule;
        }
    }
    return 0;
}

static const struct image_rule *find_name(const struct search *search, enum pattern_kind kind, uint32_t hash,
                                          const char *name, size_t length)
{
    uint32_t probe = 0, key;
    while ((key = next_key(search->image, search->image->header->keys, hash, &probe)) != 0) {
        const struct image_rule *rule = image_rule(search->image, key - 1);
        if (rule && is_name(search->image, rule, kind, name, length))
            return choose(search, key - 1);
    }
    return NULL;
}

static const struct image_rule *find_by_suffix(const struct search *search)
{
    const struct place *place = search->query->place;
    uint32_t wanted = search->image->header->suffix_labels;
    struct hash_suffix suffixes[HASH_NAME_ROOM];
    const struct image_rule *rule = NULL;

    if (place->name_length == 0 || wanted == 0)
        return NULL;
    unsigned count = hash_suffixes(place->name, place->name_length, wanted, suffixes);
    while (!rule && count-- > 0) {
        uint8_t at = suffixes[count].at;
        if (at > 0) /* "*.example.com" does not mean ".example.com" */
            rule = find_name(search, PATTERN_SUFFIX, suffixes[count].hash, place->name + at,
                             (size_t)place->name_length - at);
    }
    return rule;
}

static const struct image_rule *find_by_name(const struct search *search, enum pattern_kind kind)
{
    const struct place *place = search->query->place;
    return find_name(search, kind, hash_name(kind, place->name, place->name_length), place->name,
                     place->name_length);
}

/* The high bits of a big-endian half of an address. */
static uint64_t keep_bits(uint64_t half, unsigned bits)
{
    if (bits == 0)
        return 0;
    return bits >= 64 ? half : half & htobe64(~UINT64_C(0) << (64 - bits));
}

static void cut_address(uint8_t address[16], unsigned bits)
{
    uint64_t halves[2];
    memcpy(halves, address, sizeof halves);
    halves[0] = keep_bits(halves[0], bits);
    halves[1] = keep_bits(halves[1], bits > 64 ? bits - 64 : 0);
    memcpy(address, halves, sizeof halves);
}

static const struct image_rule *find_network(const struct search *search, unsigned bits)
{
    const struct place *place = search->query->place;
    uint8_t address[16];
    memcpy(address, place->address, sizeof address);
    cut_address(address, bits);

    uint32_t hash = hash_network((enum place_family)place->family, bits, address), probe = 0, key;
    while ((key = next_key(search->image, search->image->header->keys, hash, &probe)) != 0) {
        const struct image_rule *rule = image_rule(search->image, key - 1);
        if (rule && rule->kind == PATTERN_NETWORK && rule->family == place->family &&
            rule->prefix_bits == bits && memcmp(rule->address, address, sizeof address) == 0)
            return choose(search, key - 1);
    }
    return NULL;
}

/* Only the prefix lengths that occur are tried, from the longest down. */
static const struct image_rule *find_by_address(const struct search *search)
{
    const uint64_t *prefixes = search->image->header->prefixes[search->query->place->family == PLACE_IPV6];
    for (int word = 2; word >= 0; word--)
        for (uint64_t left = prefixes[word]; left != 0;) {
            int bit = 63 - __builtin_clzll(left);
            left &= ~(UINT64_C(1) << bit);
            const struct image_rule *rule = find_network(search, (unsigned)(word * 64 + bit));
            if (rule)
                return rule;
        }
    return NULL;
}

const struct image_rule *search_rule(const struct image *image, const struct rules_query *query,
                                     const char *program)
{
    const struct search search = {image, query, program};
    const struct place *place = query->place;
    const struct image_rule *rule = NULL;

    switch ((enum place_family)place->family) {
    case PLACE_UNIX: /* "*" speaks of the network only */
        return find_by_name(&search, PATTERN_UNIX);
    case PLACE_NAME:
        rule = find_by_name(&search, PATTERN_NAME);
        if (!rule)
            rule = find_by_suffix(&search);
        break;
    case PLACE_IPV4:
    case PLACE_IPV6:
        rule = find_by_address(&search);
        break;
    }
    if (!rule && image->header->any != 0)
        rule = choose(&search, image->header->any - 1);
    return rule;
}

int32_t search_service(const struct image *image, const char *name, size_t length)
{
    uint32_t hash, probe = 0, key;

    if (image->header->services.count == 0 || length == 0)
        return -1;
    hash = hash_name(PATTERN_NAME, name, length);
    while ((key = next_key(image, image->header->service_keys, hash, &probe)) != 0) {
        const struct image_service *service = image_service(image, key - 1);
        uint64_t end = service ? (uint64_t)service->name + length : 0;
        if (service && end < image->header->pool.count &&
            memcmp(image_string(image, service->name), name, length) == 0 &&
            image_string(image, service->name)[length] == 0)
            return (int32_t)(key - 1);
    }
    return -1;
}
