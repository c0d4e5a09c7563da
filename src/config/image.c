#include "config/image.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "config/order.h"

enum {
    ALIGNMENT = 8,
    SUMMED_MOST = 32768 /* summing up a larger image would cost each process more than it is worth */
};

/* Whether a span of items of this size lies within the image. */
static bool holds(const struct image *image, struct image_span span, size_t size)
{
    uint64_t end = span.offset + (uint64_t)span.count * size;
    return span.offset >= sizeof *image->header && span.offset % ALIGNMENT == 0 && end <= image->size;
}

/* The last word may be a part of one. */
static uint64_t add_words(uint64_t sum, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, size - at < sizeof word ? size - at : sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return sum;
}

uint64_t image_checksum(const struct image_header *header)
{
    struct image_header copy = *header;

    copy.checksum = 0;
    uint64_t sum = add_words(UINT64_C(0xcbf29ce484222325), (const char *)&copy, sizeof copy);
    if (header->size > SUMMED_MOST)
        return sum;
    return add_words(sum, (const char *)(header + 1), header->size - sizeof *header);
}

_Static_assert(sizeof(struct image_header) % 8 == 0, "the checksum reads whole words");

static bool is_power_of_two(uint32_t count)
{
    return count != 0 && (count & (count - 1)) == 0;
}

static bool is_sound(const struct image *image)
{
    const struct image_header *header = image->header;
    if (memcmp(header->magic, IMAGE_MAGIC, sizeof header->magic) != 0 || header->layout != IMAGE_LAYOUT ||
        header->settings != settings_count() || header->size != image->size)
        return false;
    if (header->size < sizeof *header || header->checksum != image_checksum(header))
        return false;
    if (!holds(image, header->policies, sizeof(struct policy)) ||
        !holds(image, header->rules, sizeof(struct image_rule)) ||
        !holds(image, header->keys, sizeof(struct image_key)) ||
        !holds(image, header->patches, sizeof(struct image_patch)) ||
        !holds(image, header->headers, sizeof(struct image_line)) ||
        !holds(image, header->words, sizeof(uint32_t)) ||
        !holds(image, header->sources, sizeof(struct image_source)) ||
        !holds(image, header->services, sizeof(struct image_service)) ||
        !holds(image, header->service_keys, sizeof(struct image_key)) ||
        !holds(image, header->urls, sizeof(uint32_t)) ||
        !holds(image, header->variants, sizeof(struct variant)) || !holds(image, header->pool, 1))
        return false;
    if (!is_power_of_two(header->keys.count) || !is_power_of_two(header->service_keys.count) ||
        header->pool.count == 0)
        return false;
    /* With a NUL at its end, every offset into the pool is a string. */
    return ((const char *)header)[header->pool.offset + header->pool.count - 1] == 0;
}

int image_attach(struct image *image, const void *bytes, size_t size)
{
    image->header = bytes;
    image->size = size;
    if (size < sizeof *image->header || !is_sound(image))
        return -EBADMSG;
    return 0;
}

static const void *item(const struct image *image, struct image_span span, size_t size, uint32_t index)
{
    if (index >= span.count)
        return NULL;
    return (const char *)image->header + span.offset + index * size;
}

const struct policy *image_policy(const struct image *image, uint32_t index)
{
    return item(image, image->header->policies, sizeof(struct policy), index);
}

const struct image_patch *image_patch(const struct image *image, uint32_t index)
{
    return item(image, image->header->patches, sizeof(struct image_patch), index);
}

const struct image_line *image_line(const struct image *image, uint32_t index)
{
    return item(image, image->header->headers, sizeof(struct image_line), index);
}

const struct image_rule *image_rule(const struct image *image, uint32_t index)
{
    return item(image, image->header->rules, sizeof(struct image_rule), index);
}

const struct image_service *image_service(const struct image *image, uint32_t index)
{
    return item(image, image->header->services, sizeof(struct image_service), index);
}

const struct variant *image_variants(const struct image *image, uint32_t first, uint32_t count)
{
    struct image_span span = image->header->variants;
    if (count == 0 || first >= span.count || count > span.count - first)
        return NULL;
    return item(image, span, sizeof(struct variant), first);
}

const char *image_url(const struct image *image, uint32_t index)
{
    const uint32_t *text = item(image, image->header->urls, sizeof *text, index);
    return text ? image_string(image, *text) : NULL;
}

const char *image_string(const struct image *image, uint32_t offset)
{
    const char *string = item(image, image->header->pool, 1, offset);
    return string ? string : "";
}

static bool is_input(const struct image *image, uint32_t string, const char *text)
{
    return strcmp(image_string(image, string), text ? text : "") == 0;
}

bool image_answers(const struct image *image, const struct source_paths *paths,
                   const struct source_request *request)
{
    const struct image_inputs *inputs = &image->header->inputs;
    return is_input(image, inputs->system, paths->system) && is_input(image, inputs->named, paths->named) &&
           is_input(image, inputs->user, paths->user) && is_input(image, inputs->policy, request->policy) &&
           is_input(image, inputs->set, request->set);
}

bool image_is_fresh(const struct image *image)
{
    const struct image_source *source;
    for (uint32_t i = 0; (source = item(image, image->header->sources, sizeof *source, i)); i++) {
        struct source_identity now;
        source_identify(image_string(image, source->path), &now);
        if (!source_is_same(&now, &source->identity))
            return false;
    }
    return true;
}

uint64_t image_source_bytes(const struct image *image)
{
    const struct image_source *source;
    uint64_t sum = 0;
    for (uint32_t i = 0; (source = item(image, image->header->sources, sizeof *source, i)); i++) {
        struct source_identity now;
        source_identify(image_string(image, source->path), &now);
        sum += now.size;
    }
    return sum;
}

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

enum { SEED = 0x67757373, NAME_ROOM = PLACE_NAME_MAX + 1 };

_Static_assert(NAME_ROOM % 8 == 0, "a name's room is read in whole words");

uint32_t image_labels_bit(unsigned labels)
{
    return UINT32_C(1) << ((labels < IMAGE_LABELS_MOST ? labels : IMAGE_LABELS_MOST) - 1);
}

/* The bit of one label more; the last one stays. */
static uint32_t next_depth(uint32_t bit)
{
    return bit >> (IMAGE_LABELS_MOST - 1) ? bit : bit << 1;
}

/* Where the dots are among eight bytes: the high bit of each, the first byte lowest. */
static uint64_t dots_in(const char *bytes)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word = le64toh(load_8(bytes)) ^ UINT64_C(0x2e2e2e2e2e2e2e2e);
    return ~(((word & low) + low) | word | low);
}

/* The hash of a suffix, which begins with its dot. */
struct suffix {
    uint64_t state;
    uint8_t at;
};

/*
 * Walks a name of length >= 1, in a room of NAME_ROOM bytes, from its last dot to its first, so that one walk
 * hashes all suffixes. Keeps the states at those dots whose number, from the end, is wanted. Returns how
 * many.
 */
static unsigned walk_suffixes(const char *name, unsigned length, uint32_t wanted, struct suffix *suffixes)
{
    unsigned count = 0, end = length;
    uint32_t depth_bit = image_labels_bit(1);
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
                suffixes[count++] = (struct suffix){state, (uint8_t)at};
            depth_bit = next_depth(depth_bit);
        }
    }
    return count;
}

/* A name's own hash needs no walk; most calls end with it. */
static uint32_t hash_whole(enum pattern_kind kind, const char *name, size_t length)
{
    return finish(length > 0 ? add_text(SEED, name, length) : SEED, kind);
}

uint32_t image_hash_name(enum pattern_kind kind, const char *name, size_t length)
{
    char room[NAME_ROOM] = "";
    struct suffix suffixes[NAME_ROOM];

    if (kind != PATTERN_SUFFIX)
        return hash_whole(kind, name, length);
    memcpy(room, name, length < NAME_ROOM ? length : NAME_ROOM - 1);
    unsigned count = length > 0 ? walk_suffixes(room, (unsigned)length, UINT32_MAX, suffixes) : 0;
    return finish(count > 0 ? suffixes[count - 1].state : SEED, kind);
}

uint32_t image_hash_network(enum place_family family, unsigned prefix_bits, const uint8_t address[16])
{
    const char *bytes = (const char *)address;
    return finish(mix(mix(SEED, load_8(bytes)), load_8(bytes + 8)), (unsigned)family << 8 | prefix_bits);
}

/* What is looked for in one look-up. */
struct search {
    const struct image *image;
    const struct rules_query *query;
    const char *program;
};

static bool has_program(const struct search *search, const struct image_rule *rule)
{
    const struct image_header *header = search->image->header;
    for (uint32_t i = 0; i < rule->programs_count; i++) {
        const uint32_t *word = item(search->image, header->words, sizeof *word, rule->programs_first + i);
        if (!word)
            return false;
        if (strcmp(image_string(search->image, *word), search->program) == 0)
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
    const struct image_key *keys = item(image, span, sizeof *keys, 0);
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
    struct suffix suffixes[NAME_ROOM];
    const struct image_rule *rule = NULL;

    if (place->name_length == 0 || wanted == 0)
        return NULL;
    unsigned count = walk_suffixes(place->name, place->name_length, wanted, suffixes);
    while (!rule && count-- > 0) {
        uint8_t at = suffixes[count].at;
        if (at > 0) /* "*.example.com" does not mean ".example.com" */
            rule = find_name(search, PATTERN_SUFFIX, finish(suffixes[count].state, PATTERN_SUFFIX),
                             place->name + at, (size_t)place->name_length - at);
    }
    return rule;
}

static const struct image_rule *find_by_name(const struct search *search, enum pattern_kind kind)
{
    const struct place *place = search->query->place;
    return find_name(search, kind, hash_whole(kind, place->name, place->name_length), place->name,
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

    uint32_t hash = image_hash_network((enum place_family)place->family, bits, address), probe = 0, key;
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

const struct image_rule *image_find(const struct image *image, const struct rules_query *query,
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

int32_t image_find_service(const struct image *image, const char *name, size_t length)
{
    uint32_t hash, probe = 0, key;

    if (image->header->services.count == 0 || length == 0)
        return -1;
    hash = hash_whole(PATTERN_NAME, name, length);
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
