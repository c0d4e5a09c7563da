#include "config/image.h"

#include <errno.h>
#include <string.h>

enum { ALIGNMENT = 8 };

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
    if (header->size > IMAGE_SUMMED_MOST)
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

const struct image_key *image_keys(const struct image *image, struct image_span span)
{
    return item(image, span, sizeof(struct image_key), 0);
}

const char *image_word(const struct image *image, uint32_t index)
{
    const uint32_t *text = item(image, image->header->words, sizeof *text, index);
    return text ? image_string(image, *text) : NULL;
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
