#include "config/hosts.h"

#include <string.h>

#include "config/exposure.h"
#include "config/field.h"
#include "config/policies.h"
#include "config/variants.h"
#include "core/method.h"

enum { PATH_MOST = 1000, PROGRAM_MOST = 255 };

static const uint32_t none = (uint32_t)MODEL_NONE;

/* Keys of a rule that are no settings of a policy. */
static const char *const own_keys[] = {"match", "policy",   "paths", "methods", "programs",
                                       "mode",  "variants", "by",    "extends", NULL};

static const struct config_setting_t *member(const struct reader *reader,
                                             const struct config_setting_t *group, const char *name)
{
    return libconfig_member(reader->document, group, name);
}

static bool read_match(struct reader *reader, const struct config_setting_t *group, struct model_rule *rule)
{
    static const char expected[] =
        "a host pattern such as \"api.example.com\", \"*.example.com:8443\", \"10.0.0.0/8\" "
        "or \"*\"";
    const struct config_setting_t *setting = member(reader, group, "match");
    struct pattern pattern;
    char quoted[256];

    if (!setting) {
        reader_fault(reader, group, "hosts: found no match, expected %s", expected);
        return false;
    }
    const char *text = reader_plain(reader, setting, "match", expected);
    if (!text)
        return false;
    if (strstr(text, "://")) { /* which may hold a password */
        reader_fault(reader, setting,
                     "match: found a URL, expected its host alone, and paths = [\"/…\"] for its path");
        return false;
    }
    enum pattern_fault fault = pattern_parse(&pattern, text, strlen(text));
    if (fault != PATTERN_FINE) {
        assign_quote(text, strlen(text), quoted, sizeof quoted);
        reader_fault(reader, setting, "match: found %s: %s", quoted, pattern_fault_text(fault));
        return false;
    }
    rule->match = model_text(reader->model, text, strlen(text));
    rule->name = model_text(reader->model, pattern.name, pattern.name_length);
    rule->kind = pattern.kind;
    rule->family = pattern.family;
    rule->prefix_bits = pattern.prefix_bits;
    rule->name_length = pattern.name_length;
    rule->port = pattern.port;
    memcpy(rule->address, pattern.address, sizeof rule->address);
    return true;
}

static bool is_path(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '?' || text[i] == '#')
            return false;
    return length > 0 && length <= PATH_MOST && (text[0] == '/' || text[0] == '*');
}

static bool is_program(const char *text)
{
    return text[0] && strlen(text) <= PROGRAM_MOST && !strchr(text, '/');
}

/* A list of plain strings that is_fit; they go into the model's words. */
static bool read_words(struct reader *reader, const struct config_setting_t *list, const char *key,
                       const char *expected, bool (*is_fit)(const char *), uint32_t *first, uint32_t *count)
{
    if (!reader_is_sequence(reader, list, key, expected))
        return false;
    uint32_t items = libconfig_count(reader->document, list);
    bool all = true;
    *first = reader->model->words.count;
    for (uint32_t i = 0; i < items; i++) {
        const struct config_setting_t *item = libconfig_item(reader->document, list, i);
        const char *text = reader_plain(reader, item, key, expected);
        if (text && is_fit(text)) {
            uint32_t word = model_text(reader->model, text, strlen(text));
            uint32_t *kept = table_add(&reader->model->words, sizeof *kept, 1);
            if (kept)
                *kept = word;
            ++*count;
            continue;
        }
        if (text) {
            char quoted[256];
            assign_quote(text, strlen(text), quoted, sizeof quoted);
            reader_fault(reader, item, "%s: found %s, expected %s", key, quoted, expected);
        }
        all = false;
    }
    if (items == 0) { /* an empty list would be a rule that never matches, or always: ask */
        reader_fault(reader, list, "%s: found an empty list, expected %s", key, expected);
        return false;
    }
    return all;
}

static bool is_method(const char *text)
{
    return method_from_name(text, strlen(text)) != METHOD_OTHER ||
           strcmp(text, method_name(METHOD_OTHER)) == 0;
}

static bool read_methods(struct reader *reader, const struct config_setting_t *list, struct model_rule *rule)
{
    uint32_t first, count = 0;
    if (!read_words(reader, list, "methods", "a list of HTTP methods in capitals", is_method, &first, &count))
        return false;
    for (uint32_t i = 0; i < count && first + i < reader->model->words.count; i++) {
        const char *name = model_word(reader->model, first + i);
        rule->methods |= method_from_name(name, strlen(name));
    }
    return true;
}

static bool read_mode(struct reader *reader, const struct config_setting_t *setting, struct model_rule *rule)
{
    const struct settings_entry *entry = settings_at((unsigned)settings_find("mode", 4));
    struct settings_globals scratch;
    const char *text = reader_plain(reader, setting, "mode", "one of enforce, shadow, off");
    char quoted[256];

    if (!text)
        return false;
    if (field_parse(entry, &scratch, text, strlen(text))) {
        rule->mode = (int32_t)scratch.mode;
        return true;
    }
    assign_quote(text, strlen(text), quoted, sizeof quoted);
    reader_fault(reader, setting, "mode: found %s, expected one of enforce, shadow, off", quoted);
    return false;
}

static bool read_filters(struct reader *reader, const struct config_setting_t *group, struct model_rule *rule)
{
    const struct config_setting_t *paths = member(reader, group, "paths");
    const struct config_setting_t *methods = member(reader, group, "methods");
    const struct config_setting_t *programs = member(reader, group, "programs");
    const struct config_setting_t *mode = member(reader, group, "mode");
    bool all = true;

    if (paths)
        all &= read_words(reader, paths, "paths", "a list of paths such as \"/v1/search*\"", is_path,
                          &rule->paths_first, &rule->paths_count);
    if (methods)
        all &= read_methods(reader, methods, rule);
    if (programs)
        all &= read_words(reader, programs, "programs", "a list of program names without folders", is_program,
                          &rule->programs_first, &rule->programs_count);
    if (mode)
        all &= read_mode(reader, mode, rule);
    return all;
}

static bool find_policy(struct reader *reader, const struct config_setting_t *group, uint32_t *policy)
{
    const struct config_setting_t *setting = member(reader, group, "policy");
    char quoted[256], hint[256];

    *policy = none;
    if (!setting)
        return true;
    const char *name = reader_plain(reader, setting, "policy", "a policy's name");
    if (!name)
        return false;
    *policy = policies_find(reader, name);
    if (*policy != none)
        return true;
    assign_quote(name, strlen(name), quoted, sizeof quoted);
    policies_suggest(reader, name, hint, sizeof hint);
    reader_fault(reader, setting, "policy: unknown policy %s, %s", quoted, hint);
    return false;
}

static bool has_settings(const struct reader *reader, const struct config_setting_t *group)
{
    for (uint32_t i = 0; i < libconfig_count(reader->document, group); i++)
        if (!reader_is_one_of(libconfig_item(reader->document, group, i), own_keys))
            return true;
    return false;
}

/* The settings that stand in place, on top of the named policy; they are checked whether that is there or
 * not. */
static bool read_settings(struct reader *reader, const struct config_setting_t *group,
                          struct model_rule *rule, bool is_known)
{
    uint32_t name =
        rule->policy == none ? rule->match : model_policy(reader->model, rule->policy)->values.name;
    uint32_t base = is_known ? rule->policy : (uint32_t)POLICIES_UNKNOWN;

    rule->policy = policies_derive(reader, model_string(reader->model, name), base, group, own_keys);
    return rule->policy != none;
}

static bool may_extend(struct reader *reader, const struct config_setting_t *group)
{
    const struct config_setting_t *extends = member(reader, group, "extends");

    if (extends)
        reader_fault(reader, extends, "extends: found it in a rule of hosts, expected policy = \"…\" there");
    return !extends;
}

/* The named policy, or one of its own where settings stand in place (or nothing does: mode = "off" alone). */
static bool read_policy(struct reader *reader, const struct config_setting_t *group, struct model_rule *rule)
{
    bool has_own = has_settings(reader, group), has_variants = member(reader, group, "variants");
    /* Each is read, whatever the others say: all faults are named in one run. */
    bool extends_none = may_extend(reader, group), is_found = find_policy(reader, group, &rule->policy);
    bool are_read = variants_read(reader, group, rule);
    bool is_known = extends_none && is_found, is_fine = is_known && are_read;

    if (has_variants && has_own) {
        reader_fault(reader, group,
                     "hosts: found settings beside variants, expected them in the variants' policies");
        return false;
    }
    if (is_known && rule->policy == none && !has_variants && !has_own && rule->mode != POLICY_OFF) {
        reader_fault(reader, group, "hosts: found neither policy nor settings, expected policy = \"…\"");
        return false;
    }
    if (!has_variants && (has_own || rule->policy == none))
        is_fine &= read_settings(reader, group, rule, is_known);
    return is_fine;
}

static void read_rule(struct reader *reader, const struct config_setting_t *group)
{
    struct model_rule rule = {.mode = -1, .origin = reader_site(reader, group).origin};

    if (libconfig_kind(group) != LIBCONFIG_GROUP) {
        reader_fault(reader, group, "hosts: expected groups { match = …; policy = …; } in the list");
        return;
    }
    bool has_place = read_match(reader, group, &rule);
    has_place &= read_filters(reader, group, &rule);
    bool is_fine = read_policy(reader, group, &rule);
    if (!has_place)
        return; /* with a place it is held against the other rules, whatever its policy */
    if (is_fine)
        exposure_warn(reader, group, &rule);
    struct model_rule *kept = table_add(&reader->model->rules, sizeof *kept, 1);
    if (kept)
        *kept = rule;
}

void hosts_read(struct reader *reader, const struct config_setting_t *list)
{
    if (libconfig_kind(list) != LIBCONFIG_LIST) {
        char found[256];
        reader_describe(reader, list, found, sizeof found);
        reader_fault(reader, list, "hosts: found %s, expected a list ( { match = …; }, { … } )", found);
        return;
    }
    for (uint32_t i = 0; i < libconfig_count(reader->document, list); i++)
        read_rule(reader, libconfig_item(reader->document, list, i));
}
