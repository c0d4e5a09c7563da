#include "config/prepared.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/conflict.h"
#include "config/framing.h"
#include "config/scratch.h"
#include "config/value.h"

bool prepared_open(struct prepared *prepared, const struct image *image, struct arena *arena)
{
    prepared->image = image;
    prepared->arena = arena;
    prepared->policies = arena_take(arena, image->header->policies.count * sizeof *prepared->policies);
    return prepared->policies != NULL;
}

static const struct policy *patch_policy(struct prepared *prepared, struct scratch *scratch,
                                         const struct policy *from)
{
    struct policy *own = arena_take(prepared->arena, sizeof *own);
    if (!own)
        return from;
    *own = *from;
    scratch_patch(scratch, prepared->image, from->patches_first, from->patches_count, SETTINGS_OF_POLICY,
                  own);
    conflict_mend(own);
    return own;
}

/* "Name: value"; NULL when memory fails. */
static const char *line_of(struct prepared *prepared, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(": ") + strlen(value) + 1;
    char *line = arena_take(prepared->arena, size);
    if (!line)
        return NULL;
    struct value_text out = {line, size, 0};
    value_put(&out, name);
    value_put(&out, ": ");
    value_put(&out, value);
    return line;
}

/* Fills in one header; false when it is to be left out: its value is unfit, or empty. */
static bool dress(struct prepared *prepared, struct scratch *scratch, const struct image_line *line,
                  struct rules_header *header)
{
    const char *name = image_string(prepared->image, line->name);
    const char *value = image_string(prepared->image, line->value);
    char subject[320] = "header ";
    struct value_text out = {subject, sizeof subject, strlen(subject)};

    value_put(&out, name);
    value_put(&out, " is left out: ");
    if (expand_is_template(value))
        value = scratch_expand(scratch, value, subject);
    if (!value || !value[0])
        return false;
    if (!value_is_field(value)) {
        scratch_say(subject, "its value holds a control character");
        return false;
    }
    header->line = line_of(prepared, name, value);
    header->name_length = (uint32_t)strlen(name);
    header->override = line->override != 0;
    return header->line != NULL;
}

static void dress_all(struct prepared *prepared, struct scratch *scratch, const struct policy *from,
                      struct rules_policy *policy)
{
    uint32_t room = prepared->image->header->headers.count; /* a damaged count must not ask for the world */
    uint32_t count = from->headers_count < room ? from->headers_count : room;
    struct rules_header *headers = count ? arena_take(prepared->arena, count * sizeof *headers) : NULL;
    if (!headers)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_line *line = image_line(prepared->image, from->headers_first + i);
        if (line && dress(prepared, scratch, line, &headers[policy->header_count]))
            policy->header_count++;
    }
    policy->headers = headers;
}

/* Which of the propagated headers the rule's own list names: these say more, and nothing goes twice. */
static uint32_t names_itself(const struct rules_policy *policy)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } propagated[] = {
        {"X-Request-Id", POLICY_REQUEST_ID },
        {"X-Tenant-Id",  POLICY_TENANT_ID  },
        {"X-Project-Id", POLICY_PROJECT_ID },
        {"traceparent",  POLICY_TRACEPARENT},
    };
    uint32_t bits = 0;

    for (uint32_t i = 0; i < policy->header_count; i++)
        for (size_t j = 0; j < sizeof propagated / sizeof *propagated; j++)
            if (policy->headers[i].name_length == strlen(propagated[j].name) &&
                strncasecmp(policy->headers[i].line, propagated[j].name, strlen(propagated[j].name)) == 0)
                bits |= propagated[j].bit;
    return bits;
}

/* A policy's texts, where they lie on either side. */
static const struct {
    const char *subject;
    uint32_t group;
    size_t from; /* in struct policy */
    size_t to;   /* in struct rules_policy */
} texts[] = {
#define TEXT(key, group, field, ready)                                                                       \
    {                                                                                                        \
        key " is taken as empty: ", group, offsetof(struct policy, field),                                   \
            offsetof(struct rules_policy, ready)                                                             \
    }
    TEXT("limit.key", POLICY_LIMIT, limit.key, limit_key),
    TEXT("timeout.header", POLICY_TIMEOUT, timeout.header, deadline_header),
    TEXT("fallback.type", POLICY_FALLBACK, fallback.type, fallback_type),
    TEXT("fallback.body", POLICY_FALLBACK, fallback.body, fallback_body),
    TEXT("fallback.file", POLICY_FALLBACK, fallback.file, fallback_file),
#undef TEXT
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

/* As it stands in the image; "" where the policy does not have it. */
static const char *raw_text(const struct prepared *prepared, const struct policy *from, unsigned index)
{
    uint32_t string;
    memcpy(&string, (const char *)from + texts[index].from, sizeof string);
    return from->groups & texts[index].group ? image_string(prepared->image, string) : "";
}

static const char *expand_kept(struct prepared *prepared, struct scratch *scratch, const char *text,
                               const char *subject)
{
    if (!expand_is_template(text))
        return text;
    text = scratch->text ? scratch_expand(scratch, text, subject) : NULL;
    text = text && text[0] ? arena_copy(prepared->arena, text) : "";
    return text ? text : "";
}

static void expand_texts(struct prepared *prepared, struct scratch *scratch, const struct policy *from,
                         struct rules_policy *policy)
{
    for (unsigned i = 0; i < TEXTS; i++) {
        const char *text = expand_kept(prepared, scratch, raw_text(prepared, from, i), texts[i].subject);
        memcpy((char *)policy + texts[i].to, &text, sizeof text);
    }
    if (policy->deadline_header[0] &&
        (!value_is_token(policy->deadline_header) || framing_needs(policy->deadline_header))) {
        scratch_say("timeout.header is taken as empty: ", "it is no name of a header that a rule may set");
        policy->deadline_header = "";
    }
}

/* The first policy of that name in the image, which the file or a built-in defines before rules change it. */
static const struct rules_policy *namesake(struct prepared *prepared, uint32_t index, const char *name)
{
    for (uint32_t i = 0; i < index; i++) {
        const struct policy *other = image_policy(prepared->image, i);
        if (other && strcmp(image_string(prepared->image, other->name), name) == 0)
            return prepared_at(prepared, i);
    }
    return NULL;
}

/*
 * A rule may have put a limit of its own in the place of its policy's: the word of a bucket means nothing to
 * one that fills at another rate. 0: it is the same limit.
 */
static uint64_t limit_apart(struct prepared *prepared, uint32_t index, const struct rules_policy *policy)
{
    const struct limit_rule *own = &policy->settings->limit.rule, *other;
    const struct rules_policy *first;

    if (!(policy->settings->groups & POLICY_LIMIT) || !(first = namesake(prepared, index, policy->name)))
        return 0;
    other = &first->settings->limit.rule;
    if (first->settings->groups & POLICY_LIMIT && own->rate == other->rate && own->per_ms == other->per_ms &&
        own->burst == other->burst)
        return 0;
    return ((uint64_t)own->rate << 32 | own->per_ms) * UINT64_C(0x9e3779b97f4a7c15) + own->burst + 1;
}

static bool needs_scratch(const struct prepared *prepared, const struct policy *policy)
{
    bool needs = policy->patches_count > 0 || policy->headers_count > 0;
    for (unsigned i = 0; i < TEXTS && !needs; i++)
        needs = raw_text(prepared, policy, i)[0];
    return needs;
}

/* Two threads may do this at once for one policy; the first to publish wins, the other's copy is lost memory.
 */
static const struct rules_policy *make_ready(struct prepared *prepared, uint32_t index,
                                             const struct policy *from)
{
    struct scratch scratch = {0};
    const struct rules_policy *first = NULL;
    struct rules_policy *policy = arena_take(prepared->arena, sizeof *policy);

    if (!policy)
        return NULL;
    policy->settings = from;
    policy->name = image_string(prepared->image, from->name);
    policy->is_watched =
        from->groups & (POLICY_STALE | POLICY_HEDGE) || (from->groups & POLICY_RETRY && from->retry.resumes);
    bool is_open = needs_scratch(prepared, from) && scratch_open(&scratch);
    if (is_open) {
        if (from->patches_count > 0)
            policy->settings = patch_policy(prepared, &scratch, from);
        dress_all(prepared, &scratch, from, policy);
    }
    expand_texts(prepared, &scratch, from, policy);
    policy->limit_apart = limit_apart(prepared, index, policy);
    policy->propagate = (policy->settings->propagate & ~names_itself(policy)) |
                        (policy->deadline_header[0] ? POLICY_TIME_LEFT : 0u);
    if (is_open)
        scratch_close(&scratch);
    if (!atomic_compare_exchange_strong(&prepared->policies[index], &first, policy))
        return first;
    return policy;
}

const struct rules_policy *prepared_at(struct prepared *prepared, uint32_t index)
{
    const struct policy *from = image_policy(prepared->image, index);
    if (!from)
        return NULL;
    const struct rules_policy *policy =
        atomic_load_explicit(&prepared->policies[index], memory_order_acquire);
    if (!policy) {
        const int kept = errno;
        policy = make_ready(prepared, index, from);
        errno = kept;
    }
    return policy;
}
