#include "config/assign.h"

#include <stdio.h>
#include <string.h>

#include "config/conflict.h"
#include "config/expand.h"
#include "config/field.h"
#include "config/framing.h"
#include "config/print.h"
#include "config/spelling.h"
#include "config/value.h"

enum { EXPANSION_MOST = 4096, QUOTED_MOST = 60, PATH_MOST = 255, HEADER_MOST = 200 };

void assign_quote(const char *value, size_t length, char *text, size_t size)
{
    struct value_text out = {text, size, 0};
    value_put(&out, "\"");
    for (size_t i = 0; i < length && i < QUOTED_MOST; i++) {
        char plain[2] = {value[i], 0}, escape[5];
        unsigned char byte = (unsigned char)value[i];
        snprintf(escape, sizeof escape, "\\x%02x", byte);
        value_put(&out, byte < ' ' || byte == 0x7f ? escape : plain);
    }
    value_put(&out, length > QUOTED_MOST ? "…\"" : "\"");
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static bool is_key(const struct settings_entry *entry, const char *key)
{
    return strcmp(entry->key, key) == 0;
}

static bool is_header(const char *text)
{
    return value_is_token(text) && strlen(text) <= HEADER_MOST && !framing_needs(text);
}

/* What a text has to be, or NULL when it is fine. */
static const char *text_complaint(const struct settings_entry *entry, const char *text)
{
    bool is_path = text[0] == '/' && strlen(text) <= PATH_MOST;
    if (is_key(entry, "log.target") && !is_path && strcmp(text, "stderr") != 0 && strcmp(text, "syslog") != 0)
        return "\"stderr\", \"syslog\" or an absolute path of at most 255 bytes";
    if (is_key(entry, "state.path") && text[0] && !is_path)
        return "an absolute path of at most 255 bytes, or nothing";
    if (is_key(entry, "fallback.file") && text[0] && !is_path)
        return "an absolute path of at most 255 bytes, or nothing";
    if (is_key(entry, "health.path") && (!is_path || strpbrk(text, " #")))
        return "a path such as \"/health\", of at most 255 bytes";
    if (is_key(entry, "timeout.header") && text[0] && !is_header(text))
        return "a header's name such as \"X-Request-Deadline-Ms\"";
    if (has_control(text) && !is_key(entry, "fallback.body"))
        return "text without control characters";
    return NULL;
}

/* Whether a literal value is fit; scratch takes it. */
static bool fits(const struct settings_entry *entry, const char *text)
{
    union {
        struct policy policy;
        struct settings_globals globals;
        struct settings_service service;
    } scratch;
    if (entry->kind == SETTINGS_TEXT)
        return text_complaint(entry, text) == NULL;
    return field_parse(entry, &scratch, text, strlen(text));
}

/* Of a list the first word that does not fit, of anything else the whole. */
static struct value_word find_culprit(const struct settings_entry *entry, const char *text)
{
    struct value_word word;
    bool is_list = entry->kind == SETTINGS_OUTCOMES || entry->kind == SETTINGS_METHODS ||
                   entry->kind == SETTINGS_PROPAGATE;
    for (size_t at = 0; is_list && value_next(text, strlen(text), &at, &word);) {
        char one[QUOTED_MOST + 1];
        struct value_text copy = {one, sizeof one, 0};
        value_put_bytes(&copy, word.text, word.length);
        if (word.length >= sizeof one || !fits(entry, one))
            return word;
    }
    return (struct value_word){text, strlen(text)};
}

static void complain(const struct assign_site *site, const struct settings_entry *entry, const char *text)
{
    char quoted[4 * QUOTED_MOST + 8], expected[256];
    struct value_word culprit = find_culprit(entry, text);
    const char *complaint = entry->kind == SETTINGS_TEXT ? text_complaint(entry, text) : NULL;

    assign_quote(culprit.text, culprit.length, quoted, sizeof quoted);
    print_expected(entry, expected, sizeof expected);
    fault_add(site->faults, site->file, site->line, "%s: found %s, expected %s", entry->key,
              site->is_bare ? text : quoted, complaint ? complaint : expected);
}

/* Returns false when the template can never be right; *expansion is NULL when it has none at present. */
static bool check_template(const struct assign_site *site, const struct settings_entry *entry,
                           const char *text, char *buffer, const char **expansion)
{
    struct expand_fault fault;
    char reason[256];

    *expansion = NULL;
    if (!expand_is_sound(text, &fault)) {
        expand_explain(&fault, reason, sizeof reason);
        fault_add(site->faults, site->file, site->line, "%s: %s", entry->key, reason);
        return false;
    }
    if (expand_text(text, buffer, EXPANSION_MOST, expand_environment, &fault) < 0) {
        expand_explain(&fault, reason, sizeof reason);
        fault_warn(site->faults, site->file, site->line, "%s: %s; without it the default holds", entry->key,
                   reason);
        return true;
    }
    if (fits(entry, buffer)) {
        *expansion = buffer;
        return true;
    }
    char quoted[4 * QUOTED_MOST + 8], expected[256]; /* what it expands to may be a secret */
    assign_quote(text, strlen(text), quoted, sizeof quoted);
    print_expected(entry, expected, sizeof expected);
    fault_add(site->faults, site->file, site->line, "%s: %s does not expand to %s", entry->key, quoted,
              expected);
    return false;
}

bool assign_text(const struct assign_site *site, uint32_t owner, unsigned setting, const char *text)
{
    const struct settings_entry *entry = settings_at(setting);
    char buffer[EXPANSION_MOST];
    const char *expansion = text;
    bool is_template = expand_is_template(text);

    if (is_template ? !check_template(site, entry, text, buffer, &expansion) : !fits(entry, text)) {
        if (!is_template)
            complain(site, entry, text);
        return false;
    }
    struct model_assignment assignment = {
        .setting = setting,
        .text = model_text(site->model, text, strlen(text)),
        .is_template = is_template,
        .origin = site->origin,
    };
    switch ((enum settings_place)entry->place) {
    case SETTINGS_OF_FILE:
        model_assign_global(site->model, &assignment, expansion);
        break;
    case SETTINGS_OF_POLICY:
        model_assign(site->model, owner, &assignment, expansion);
        break;
    case SETTINGS_OF_SERVICE:
        model_assign_service(site->model, owner, &assignment, expansion);
        break;
    }
    return true;
}

void assign_check(const struct assign_site *site, uint32_t policy, const bool *faulty)
{
    const struct policy *values = &model_policy(site->model, policy)->values;
    struct conflict conflict;

    for (unsigned at = 0; conflict_next(values, &at, &conflict);)
        if (!faulty || (!faulty[conflict.setting] && !faulty[conflict.partner]))
            fault_add(site->faults, site->file, site->line, "policy \"%s\": %s",
                      model_string(site->model, values->name), conflict.text);
}

static void set_unknown(const char *key, size_t length, const struct assign_site *site)
{
    const char *near = spelling_nearest(key, length, SETTINGS_OF_POLICY, NULL);
    if (!near)
        near = spelling_nearest(key, length, SETTINGS_OF_FILE, NULL);
    if (length >= 7 && strncmp(key, "headers", 7) == 0 && (length == 7 || key[7] == '.'))
        fault_add(site->faults, site->file, 0, "headers cannot be given by %s", site->file);
    else if (near)
        fault_add(site->faults, site->file, 0, "unknown key '%.*s', did you mean '%s'?", (int)length, key,
                  near);
    else
        fault_add(site->faults, site->file, 0, "unknown key '%.*s'; expected one such as retry.attempts",
                  (int)length, key);
}

/* One line of --set or $GUSSET_SET, for the file's settings or for the policy that collects the others. */
static void set_line(const struct assign_site *site, const char *line, size_t length, uint32_t collector)
{
    const char *equals = memchr(line, '=', length);
    size_t key_length = equals ? (size_t)(equals - line) : length;
    int index = settings_find(line, key_length);
    char value[EXPANSION_MOST];
    struct value_text copy = {value, sizeof value, 0};

    if (!equals) {
        fault_add(site->faults, site->file, 0, "'%.*s' has no '='; expected KEY=VALUE", (int)length, line);
        return;
    }
    if (index >= 0 && settings_at((unsigned)index)->place == SETTINGS_OF_SERVICE) {
        fault_add(site->faults, site->file, 0, "%.*s: settings of services cannot be given by %s",
                  (int)key_length, line, site->file);
        return;
    }
    if (index < 0) {
        set_unknown(line, key_length, site);
        return;
    }
    value[0] = 0;
    value_put_bytes(&copy, equals + 1, length - key_length - 1);
    bool is_policy = settings_at((unsigned)index)->place == SETTINGS_OF_POLICY;
    assign_text(site, is_policy ? collector : (uint32_t)MODEL_NONE, (unsigned)index, value);
}

/* Copies what was set from the collecting policy into another, whose absent groups come with their defaults.
 */
static void spread(struct model *model, uint32_t collector, uint32_t policy)
{
    struct policy *values = &model_policy(model, policy)->values;
    for (uint32_t i = 0; i < model->set_count; i++) {
        const struct settings_entry *entry =
            settings_at(model_assignment(model, model->set_first + i)->setting);
        if (entry->place != SETTINGS_OF_POLICY)
            continue;
        model_apply_group(model, policy, entry->group);
        field_copy(entry, values, &model_policy(model, collector)->values);
    }
}

void assign_set(struct model *model, const char *set, const char *by, struct fault_list *faults)
{
    struct assign_site site = {.model = model, .faults = faults, .file = by, .origin = {.kind = MODEL_SET}};
    uint32_t collector = model_add_policy(model, "", (uint32_t)MODEL_NONE, site.origin);

    if (collector == (uint32_t)MODEL_NONE)
        return;
    model->set_first = model->assignments.count;
    for (const char *line = set; *line;) {
        size_t length = strcspn(line, "\n");
        if (length > 0)
            set_line(&site, line, length, collector);
        line += length + (line[length] == '\n');
    }
    model->set_count = model->assignments.count - model->set_first;
    for (uint32_t i = 0; i < collector; i++) {
        spread(model, collector, i);
        assign_check(&site, i, NULL);
    }
    model->policies.count = collector;
}
