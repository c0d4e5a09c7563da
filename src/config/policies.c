#include "config/policies.h"

#include <stdio.h>
#include <string.h>

#include "config/expand.h"
#include "config/framing.h"
#include "config/preset.h"
#include "config/spelling.h"
#include "config/value.h"

enum { EXPANSION_MOST = 4096, HEADER_NAME_MOST = 128 };

static const uint32_t none = (uint32_t)MODEL_NONE;

/* Keys of a policy that are no settings. */
static const char *const own_keys[] = {"extends", NULL};

static struct reader_policy *policy_at(const struct reader *reader, uint32_t index)
{
    return (struct reader_policy *)reader->policies.items + index;
}

/* A header's value, of which no fault says anything but what it must not hold. */
static bool check_value(struct reader *reader, const struct config_setting_t *setting, const char *name,
                        const char *value)
{
    struct expand_fault fault;
    char buffer[EXPANSION_MOST], reason[256];

    if (!value_is_field(value)) {
        reader_fault(reader, setting,
                     "headers: the value of %s holds a control character (CR, LF …), expected none", name);
        return false;
    }
    if (!expand_is_sound(value, &fault)) {
        expand_explain(&fault, reason, sizeof reason);
        reader_fault(reader, setting, "headers: the value of %s: %s", name, reason);
        return false;
    }
    if (!expand_is_template(value))
        return true;
    if (expand_text(value, buffer, sizeof buffer, expand_environment, &fault) < 0) {
        expand_explain(&fault, reason, sizeof reason);
        reader_warn(reader, setting, "headers: %s is left out: %s", name, reason);
        return true;
    }
    bool is_fine = value_is_field(buffer);
    explicit_bzero(buffer, sizeof buffer);
    if (!is_fine)
        reader_fault(
            reader, setting,
            "headers: the value of %s expands to text with a control character (CR, LF …), expected none",
            name);
    return is_fine;
}

static const struct config_setting_t *member(const struct reader *reader,
                                             const struct config_setting_t *group, const char *name)
{
    return libconfig_member(reader->document, group, name);
}

static bool has_only_known(const struct reader *reader, const struct config_setting_t *header)
{
    bool all = true;
    for (uint32_t i = 0; i < libconfig_count(reader->document, header); i++) {
        const struct config_setting_t *item = libconfig_item(reader->document, header, i);
        if (reader_is_named(item, "name") || reader_is_named(item, "value") ||
            reader_is_named(item, "override"))
            continue;
        reader_fault(reader, item, "headers: unknown key '%s', expected name, value or override",
                     libconfig_name(item));
        all = false;
    }
    return all;
}

/* The name of a header, or NULL after a fault. */
static const char *read_header_name(struct reader *reader, const struct config_setting_t *header)
{
    static const char expected[] = "a header's name (letters, digits and !#$%&'*+-.^_`|~)";
    const struct config_setting_t *setting = member(reader, header, "name");
    if (!setting) {
        reader_fault(reader, header, "headers: found no name, expected %s", expected);
        return NULL;
    }
    const char *name = reader_plain(reader, setting, "headers: name", expected);
    if (name && !(value_is_token(name) && strlen(name) <= HEADER_NAME_MOST)) {
        char quoted[256];
        assign_quote(name, strcspn(name, ":"), quoted,
                     sizeof quoted); /* behind a colon the value may stand */
        reader_fault(reader, setting, "headers: name: found %s%s, expected %s", quoted,
                     strchr(name, ':') ? " and a colon" : "", expected);
        return NULL;
    }
    if (name && framing_needs(name)) {
        reader_fault(
            reader, setting,
            "headers: name: found \"%s\", which libcurl writes as the message or its connection needs, "
            "expected another header's",
            name);
        return NULL;
    }
    return name;
}

static void read_header(struct reader *reader, const struct config_setting_t *header, uint32_t policy)
{
    if (libconfig_kind(header) != LIBCONFIG_GROUP) {
        reader_fault(reader, header, "headers: expected groups { name = …; value = …; } in the list");
        return;
    }
    const char *name = read_header_name(reader, header);
    const struct config_setting_t *value = member(reader, header, "value");
    const struct config_setting_t *override = member(reader, header, "override");
    bool is_fine = has_only_known(reader, header) && name;

    if (!value || libconfig_kind(value) != LIBCONFIG_STRING) { /* a number may be a secret too: not shown */
        reader_fault(reader, value ? value : header, "headers: the value of %s is no string, expected one",
                     name ? name : "a header");
        is_fine = false;
    }
    if (override && libconfig_kind(override) != LIBCONFIG_BOOL) {
        reader_fault(reader, override, "headers: override: expected true or false");
        is_fine = false;
    }
    const char *text = is_fine ? libconfig_string(reader->document, value) : "";
    if (!is_fine || !check_value(reader, value, name, text))
        return;
    struct model_header line = {
        .name = model_text(reader->model, name, strlen(name)),
        .value = model_text(reader->model, text, strlen(text)),
        .override = override && libconfig_bool(reader->document, override),
        .origin = reader_site(reader, header).origin,
    };
    struct model_header *kept = table_add(&reader->model->headers, sizeof *kept, 1);
    if (!kept)
        return;
    *kept = line;
    model_policy(reader->model, policy)->values.headers_count++;
}

/* A policy's own list replaces the inherited one. What stands there as a text may be a secret. */
static void read_headers(struct reader *reader, const struct config_setting_t *list, uint32_t policy)
{
    static const char expected[] = "a list ( { name = …; value = …; } )";

    if (libconfig_kind(list) == LIBCONFIG_STRING)
        reader_fault(reader, list, "headers: found a string, expected %s", expected);
    if (libconfig_kind(list) == LIBCONFIG_STRING || !reader_is_sequence(reader, list, "headers", expected))
        return;
    struct policy *values = &model_policy(reader->model, policy)->values;
    values->headers_first = reader->model->headers.count;
    values->headers_count = 0;
    for (uint32_t i = 0; i < libconfig_count(reader->document, list); i++)
        read_header(reader, libconfig_item(reader->document, list, i), policy);
}

struct body {
    uint32_t policy;
    const char *const *words;
};

static bool take_member(struct reader *reader, const struct config_setting_t *setting, void *context)
{
    const struct body *body = context;
    if (reader_is_named(setting, "headers")) {
        read_headers(reader, setting, body->policy);
        return true;
    }
    return reader_is_one_of(setting, body->words);
}

uint32_t policies_derive(struct reader *reader, const char *name, uint32_t base,
                         const struct config_setting_t *group, const char *const *words)
{
    bool is_known = base != (uint32_t)POLICIES_UNKNOWN;
    struct assign_site site = reader_site(reader, group);
    struct body body = {model_add_policy(reader->model, name, is_known ? base : none, site.origin), words};
    if (body.policy == none)
        return none;
    reader_walk(reader, group, SETTINGS_OF_POLICY, body.policy,
                &(struct reader_own){words, take_member, &body});
    site = reader_site(reader, group); /* the pool has moved */
    if (is_known)
        assign_check(&site, body.policy, reader->faulty);
    return body.policy;
}

static void consider(const char *candidate, const char *name, unsigned *best, const char **found)
{
    unsigned distance = spelling_distance(candidate, strlen(candidate), name, strlen(name));
    if (distance < *best && distance < strlen(candidate)) { /* else not a letter is the same */
        *best = distance;
        *found = candidate;
    }
}

void policies_suggest(const struct reader *reader, const char *name, char *text, size_t size)
{
    const char *found = NULL;
    unsigned best = spelling_reach(strlen(name));
    for (uint32_t i = 0; i < reader->policies.count; i++)
        consider(libconfig_name(policy_at(reader, i)->setting), name, &best, &found);
    for (unsigned i = 0; preset_name(i); i++)
        consider(preset_name(i), name, &best, &found);
    if (found)
        snprintf(text, size, "did you mean \"%s\"?", found);
    else
        snprintf(text, size, "expected one of this file or a built-in one (%s, %s, %s …)", preset_name(0),
                 preset_name(1), preset_name(2));
}

static uint32_t resolve(struct reader *reader, uint32_t position);

static uint32_t find_built_in(struct reader *reader, const char *name)
{
    for (uint32_t i = 0; i < reader->model->policies.count; i++) {
        const struct model_policy *policy = model_policy(reader->model, i);
        if (policy->origin.kind == MODEL_BUILT_IN &&
            strcmp(model_string(reader->model, policy->values.name), name) == 0)
            return i;
    }
    return preset_add(reader->model, name);
}

uint32_t policies_find(struct reader *reader, const char *name)
{
    for (uint32_t i = 0; i < reader->policies.count; i++)
        if (reader_is_named(policy_at(reader, i)->setting, name))
            return resolve(reader, i);
    return find_built_in(reader, name);
}

/* How many policies one builds upon, itself included. */
static uint32_t chain_length(const struct reader *reader, uint32_t policy)
{
    uint32_t length = 0;
    for (; policy < reader->model->policies.count; policy = model_policy(reader->model, policy)->base)
        length++;
    return length;
}

/* Says why the policy that is named is no base. Apart: its texts would lie on the stack once for each policy
 * that is being read. */
static __attribute__((noinline)) void refuse_base(struct reader *reader, const char *own,
                                                  const struct config_setting_t *extends, const char *name)
{
    char hint[256], quoted[256];

    if (strcmp(own, name) == 0) {
        reader_fault(reader, extends, "extends: \"%s\" extends itself", name);
        return;
    }
    for (uint32_t i = 0; i < reader->policies.count; i++)
        if (reader_is_named(policy_at(reader, i)->setting, name)) {
            if (policy_at(reader, i)->state == READER_UNDER_WAY)
                reader_fault(reader, extends, "extends: \"%s\" and \"%s\" extend each other, in the end", own,
                             name);
            return;
        }
    policies_suggest(reader, name, hint, sizeof hint);
    assign_quote(name, strlen(name), quoted, sizeof quoted);
    reader_fault(reader, extends, "extends: unknown policy %s, %s", quoted, hint);
}

/* What the policy extends; a policy of a built-in one's name may extend that one. False after a fault. */
static bool find_base(struct reader *reader, const struct config_setting_t *setting, uint32_t *base)
{
    const struct config_setting_t *extends = member(reader, setting, "extends");

    *base = none;
    if (!extends)
        return true;
    const char *name = reader_plain(reader, extends, "extends", "a policy's name");
    if (!name)
        return false;
    if (reader->extending < POLICIES_CHAIN_MOST)
        *base = reader_is_named(setting, name) ? find_built_in(reader, name) : policies_find(reader, name);
    if (reader->extending == POLICIES_CHAIN_MOST || chain_length(reader, *base) >= POLICIES_CHAIN_MOST) {
        reader_fault(reader, extends, "extends: more than %d policies build upon each other",
                     POLICIES_CHAIN_MOST);
        return false;
    }
    if (*base == none)
        refuse_base(reader, libconfig_name(setting), extends, name);
    return *base != none;
}

/* Reads a policy when it is first asked for, so that what it extends lies before it. MODEL_NONE in a circle.
 */
static uint32_t resolve(struct reader *reader, uint32_t position)
{
    struct reader_policy *policy = policy_at(reader, position);
    uint32_t base;

    if (policy->state == READER_RESOLVED)
        return policy->index;
    if (policy->state == READER_UNDER_WAY)
        return none;
    policy->state = READER_UNDER_WAY;
    if (libconfig_kind(policy->setting) != LIBCONFIG_GROUP)
        reader_fault(reader, policy->setting, "policies: \"%s\" is no group, expected { … }",
                     libconfig_name(policy->setting));
    reader->extending++;
    if (!find_base(reader, policy->setting, &base))
        base = (uint32_t)POLICIES_UNKNOWN;
    reader->extending--;
    policy->index = policies_derive(reader, libconfig_name(policy->setting), base, policy->setting, own_keys);
    policy->state = READER_RESOLVED;
    return policy->index;
}

void policies_read(struct reader *reader, const struct config_setting_t *group)
{
    if (libconfig_kind(group) != LIBCONFIG_GROUP) {
        char found[256];
        reader_describe(reader, group, found, sizeof found);
        reader_fault(reader, group, "policies: found %s, expected a group { name: { … }; }", found);
        return;
    }
    uint32_t count = libconfig_count(reader->document, group);
    struct reader_policy *policies = table_add(&reader->policies, sizeof *policies, count);
    for (uint32_t i = 0; policies && i < count; i++)
        policies[i].setting = libconfig_item(reader->document, group, i);
    for (uint32_t i = 0; policies && i < count; i++)
        resolve(reader, i);
}
