#include "config/variants.h"

#include <string.h>

#include "config/policies.h"
#include "config/value.h"

enum { RAMP_MOST_MS = 7 * 24 * 3600 * 1000 };

static const uint32_t none = (uint32_t)MODEL_NONE;

static const char *const by_names[] = {
    [VARIANTS_BY_ANY] = "any",
    [VARIANTS_BY_REQUEST] = "request",
    [VARIANTS_BY_TENANT] = "tenant",
    [VARIANTS_BY_PROCESS] = "process",
};

const char *variants_by_name(uint32_t by)
{
    return by < sizeof by_names / sizeof *by_names ? by_names[by] : "";
}

static bool read_by(struct reader *reader, const struct config_setting_t *setting, struct model_rule *rule)
{
    static const char expected[] = "request, tenant or process";
    char found[256];

    const char *text = reader_plain(reader, setting, "by", expected);
    if (!text)
        return false;
    for (uint32_t by = VARIANTS_BY_REQUEST; by <= VARIANTS_BY_PROCESS; by++)
        if (strcmp(text, by_names[by]) == 0) {
            rule->by = by;
            return true;
        }
    reader_describe(reader, setting, found, sizeof found);
    reader_fault(reader, setting, "by: found %s, expected %s", found, expected);
    return false;
}

static bool read_weight(struct reader *reader, const struct config_setting_t *setting, uint32_t *weight)
{
    char found[256];

    if (libconfig_kind(setting) == LIBCONFIG_INTEGER) {
        int64_t number = libconfig_integer(reader->document, setting);
        if (number >= 0 && number <= VARIANT_WEIGHT_MOST) {
            *weight = (uint32_t)number;
            return true;
        }
    }
    reader_describe(reader, setting, found, sizeof found);
    reader_fault(reader, setting, "variants: weight: found %s, expected a whole number from 0 to %d", found,
                 VARIANT_WEIGHT_MOST);
    return false;
}

static bool read_ramp(struct reader *reader, const struct config_setting_t *setting, uint32_t *ramp_ms)
{
    static const char expected[] = "a duration with a unit such as \"1h\", from 1ms to 168h";
    char found[256];
    uint64_t ms;

    const char *text = reader_plain(reader, setting, "variants: ramp", expected);
    if (!text)
        return false;
    if (value_duration(text, strlen(text), &ms) && ms > 0 && ms <= RAMP_MOST_MS) {
        *ramp_ms = (uint32_t)ms;
        return true;
    }
    reader_describe(reader, setting, found, sizeof found);
    reader_fault(reader, setting, "variants: ramp: found %s, expected %s", found, expected);
    return false;
}

static bool read_policy(struct reader *reader, const struct config_setting_t *setting, uint32_t *policy)
{
    char found[256], hint[256];

    const char *name = reader_plain(reader, setting, "variants: policy", "a policy's name");
    if (!name)
        return false;
    *policy = policies_find(reader, name);
    if (*policy != none)
        return true;
    policies_suggest(reader, name, hint, sizeof hint);
    reader_describe(reader, setting, found, sizeof found);
    reader_fault(reader, setting, "variants: unknown policy %s, %s", found, hint);
    return false;
}

static bool read_member(struct reader *reader, const struct config_setting_t *member, struct variant *variant)
{
    if (reader_is_named(member, "weight"))
        return read_weight(reader, member, &variant->weight);
    if (reader_is_named(member, "policy"))
        return read_policy(reader, member, &variant->policy);
    if (reader_is_named(member, "ramp"))
        return read_ramp(reader, member, &variant->ramp_ms);
    reader_fault(reader, member, "unknown key '%s' in variants; expected weight, policy and ramp",
                 libconfig_name(member));
    return false;
}

static bool read_variant(struct reader *reader, const struct config_setting_t *group, struct variant *variant)
{
    bool is_fine = true;

    *variant = (struct variant){.policy = none};
    if (libconfig_kind(group) != LIBCONFIG_GROUP) {
        reader_fault(reader, group, "variants: expected groups { weight = …; policy = …; } in the list");
        return false;
    }
    for (uint32_t i = 0; i < libconfig_count(reader->document, group); i++)
        is_fine &= read_member(reader, libconfig_item(reader->document, group, i), variant);
    if (is_fine && (!libconfig_member(reader->document, group, "weight") || variant->policy == none)) {
        reader_fault(reader, group, "variants: found a variant without %s, expected weight and policy",
                     variant->policy == none ? "policy" : "weight");
        return false;
    }
    return is_fine;
}

static bool read_list(struct reader *reader, const struct config_setting_t *list, struct model_rule *rule)
{
    struct variant variants[VARIANT_MOST];
    uint32_t count = libconfig_count(reader->document, list);
    bool is_fine = true;

    if (count == 0 || count > VARIANT_MOST) {
        reader_fault(reader, list, "variants: found %u of them, expected from 1 to %d", count, VARIANT_MOST);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        is_fine &= read_variant(reader, libconfig_item(reader->document, list, i), &variants[i]);
    struct variant *kept = is_fine ? table_add(&reader->model->variants, sizeof *kept, count) : NULL;
    if (!kept)
        return false;
    memcpy(kept, variants, count * sizeof *kept);
    rule->variants_first = reader->model->variants.count - count;
    rule->variants_count = count;
    return true;
}

/* What ramped variants do not have yet, somebody else must take. The rule's policy is the first of those. */
static bool find_steady(struct reader *reader, const struct config_setting_t *list, struct model_rule *rule)
{
    for (uint32_t i = 0; i < rule->variants_count; i++) {
        const struct variant *variant = model_variant(reader->model, rule->variants_first + i);
        if (variant->ramp_ms == 0 && variant->weight > 0) {
            rule->policy = variant->policy;
            return true;
        }
    }
    reader_fault(reader, list, "variants: found none that has a weight and no ramp, expected one at least");
    return false;
}

bool variants_read(struct reader *reader, const struct config_setting_t *group, struct model_rule *rule)
{
    const struct config_setting_t *list = libconfig_member(reader->document, group, "variants");
    const struct config_setting_t *by = libconfig_member(reader->document, group, "by");
    const struct config_setting_t *policy = libconfig_member(reader->document, group, "policy");
    bool is_fine = !by || read_by(reader, by, rule);

    if (by && !list) {
        reader_fault(reader, by, "by: expected variants beside it, which it tells apart");
        return false;
    }
    if (!list)
        return is_fine;
    if (policy) {
        reader_fault(reader, policy, "policy: found variants beside it, expected one of them");
        is_fine = false;
    }
    if (!reader_is_sequence(reader, list, "variants", "a list ( { weight = …; policy = …; }, … )"))
        return false;
    return read_list(reader, list, rule) && find_steady(reader, list, rule) && is_fine;
}
