#include "config/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/expand.h"
#include "config/field.h"
#include "config/print.h"
#include "config/spelling.h"
#include "config/value.h"

enum { KEY_MOST = 256, TEXT_MOST = 4096, QUOTED_ROOM = 256 };

struct assign_site reader_site(const struct reader *reader, const struct config_setting_t *setting)
{
    struct assign_site site = {.model = reader->model, .faults = reader->faults};
    site.origin.kind = MODEL_FILE;
    include_locate(&reader->text, libconfig_line(setting), &site.origin.source, &site.origin.line);
    site.line = site.origin.line;
    site.file = model_string(reader->model, model_source(reader->model, site.origin.source)->path);
    return site;
}

void reader_fault(const struct reader *reader, const struct config_setting_t *setting, const char *format,
                  ...)
{
    char text[FAULT_TEXT_MOST];
    va_list arguments;
    struct assign_site site = reader_site(reader, setting);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_add(reader->faults, site.file, site.line, "%s", text);
}

void reader_warn(const struct reader *reader, const struct config_setting_t *setting, const char *format, ...)
{
    char text[FAULT_TEXT_MOST];
    va_list arguments;
    struct assign_site site = reader_site(reader, setting);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_warn(reader->faults, site.file, site.line, "%s", text);
}

bool reader_is_named(const struct config_setting_t *setting, const char *name)
{
    return strcmp(libconfig_name(setting), name) == 0;
}

bool reader_is_one_of(const struct config_setting_t *setting, const char *const *words)
{
    for (; *words; words++)
        if (reader_is_named(setting, *words))
            return true;
    return false;
}

void reader_describe(const struct reader *reader, const struct config_setting_t *setting, char *text,
                     size_t size)
{
    const char *string;
    switch (libconfig_kind(setting)) {
    case LIBCONFIG_GROUP:
        snprintf(text, size, "a group { … }");
        return;
    case LIBCONFIG_LIST:
        snprintf(text, size, "a list ( … )");
        return;
    case LIBCONFIG_ARRAY:
        snprintf(text, size, "a list [ … ]");
        return;
    case LIBCONFIG_INTEGER:
        snprintf(text, size, "%lld", (long long)libconfig_integer(reader->document, setting));
        return;
    case LIBCONFIG_FLOAT:
        snprintf(text, size, "%g", libconfig_float(reader->document, setting));
        return;
    case LIBCONFIG_STRING:
        string = libconfig_string(reader->document, setting);
        assign_quote(string, strlen(string), text, size);
        return;
    case LIBCONFIG_BOOL:
        snprintf(text, size, "%s", libconfig_bool(reader->document, setting) ? "true" : "false");
        return;
    case LIBCONFIG_NOTHING:
        snprintf(text, size, "nothing");
        return;
    }
}

const char *reader_plain(const struct reader *reader, const struct config_setting_t *setting, const char *key,
                         const char *expected)
{
    char found[QUOTED_ROOM];
    reader_describe(reader, setting, found, sizeof found);
    if (libconfig_kind(setting) != LIBCONFIG_STRING) {
        reader_fault(reader, setting, "%s: found %s, expected %s", key, found, expected);
        return NULL;
    }
    const char *string = libconfig_string(reader->document, setting);
    if (!expand_is_template(string))
        return string;
    reader_fault(reader, setting, "%s: %s: ${…} does not work here, expected %s as it is", key, found,
                 expected);
    return NULL;
}

bool reader_is_sequence(const struct reader *reader, const struct config_setting_t *setting, const char *key,
                        const char *expected)
{
    char found[QUOTED_ROOM];
    enum libconfig_kind kind = libconfig_kind(setting);
    if (kind == LIBCONFIG_LIST || kind == LIBCONFIG_ARRAY)
        return true;
    reader_describe(reader, setting, found, sizeof found);
    reader_fault(reader, setting, "%s: found %s, expected %s", key, found, expected);
    return false;
}

static bool is_list(const struct settings_entry *entry)
{
    return entry->kind == SETTINGS_OUTCOMES || entry->kind == SETTINGS_METHODS ||
           entry->kind == SETTINGS_PROPAGATE;
}

static bool is_fraction(const struct settings_entry *entry)
{
    return entry->kind == SETTINGS_DECIMAL || entry->kind == SETTINGS_PERCENT;
}

/* A member of a list as --set would spell it; false when it is of a type that the setting does not take. */
static bool spell_item(const struct reader *reader, const struct config_setting_t *item,
                       const struct settings_entry *entry, struct value_text *out)
{
    enum libconfig_kind kind = libconfig_kind(item);
    if (kind == LIBCONFIG_STRING && libconfig_string(reader->document, item)[0])
        value_put(out, libconfig_string(reader->document, item));
    else if (kind == LIBCONFIG_INTEGER && entry->kind == SETTINGS_OUTCOMES &&
             libconfig_integer(reader->document, item) >= 0)
        value_put_decimal(out, (uint64_t)libconfig_integer(reader->document, item), 0, 0);
    else
        return false;
    return out->length < out->size - 1;
}

static void fault_of_value(const struct reader *reader, const struct config_setting_t *setting,
                           const struct settings_entry *entry)
{
    char found[QUOTED_ROOM], expected[256];

    reader_describe(reader, setting, found, sizeof found);
    print_expected(entry, expected, sizeof expected);
    reader_fault(reader, setting, "%s: found %s, expected %s", entry->key, found, expected);
}

/* A fault for each member of a list that does not fit, with its line; returns whether all do. */
static bool check_items(const struct reader *reader, const struct config_setting_t *setting,
                        const struct settings_entry *entry)
{
    enum libconfig_kind kind = libconfig_kind(setting);
    bool has_items = is_list(entry) && (kind == LIBCONFIG_LIST || kind == LIBCONFIG_ARRAY), all = true;

    for (uint32_t i = 0; has_items && i < libconfig_count(reader->document, setting); i++) {
        const struct config_setting_t *item = libconfig_item(reader->document, setting, i);
        struct policy scratch;
        char text[KEY_MOST] = "";
        struct value_text out = {text, sizeof text, 0};
        if (spell_item(reader, item, entry, &out) &&
            (expand_is_template(text) || field_parse(entry, &scratch, text, out.length)))
            continue;
        fault_of_value(reader, item, entry);
        all = false;
    }
    return all;
}

/* Joins the members with commas; a member that a comma would make two is left for the fault to quote. */
static bool join(const struct reader *reader, const struct config_setting_t *list,
                 const struct settings_entry *entry, struct value_text *out)
{
    for (uint32_t i = 0; i < libconfig_count(reader->document, list); i++) {
        value_put(out, i > 0 ? ", " : "");
        if (!spell_item(reader, libconfig_item(reader->document, list, i), entry, out))
            return false;
    }
    return true;
}

/* A decimal of libconfig's double, rounded to the digits that the setting keeps. */
static bool write_fraction(const struct settings_entry *entry, double number, struct value_text *out)
{
    unsigned places = entry->kind == SETTINGS_DECIMAL ? 3 : 2;
    double scaled = number * (places == 3 ? 1000 : 100);
    if (!(scaled >= 0 && scaled < 1e12))
        return false;
    value_put_decimal(out, (uint64_t)(scaled + 0.5), places, 0);
    return true;
}

/* The value as --set would spell it; false when it is of a type that the setting does not take. */
static bool spell(const struct reader *reader, const struct config_setting_t *setting,
                  const struct settings_entry *entry, struct value_text *out)
{
    const char *string;
    switch (libconfig_kind(setting)) {
    case LIBCONFIG_STRING:
        string = libconfig_string(reader->document, setting);
        value_put(out, string);
        if (out->length == out->size - 1)
            return false;
        return expand_is_template(string) || entry->kind == SETTINGS_DURATION ||
               entry->kind == SETTINGS_CHOICE || entry->kind == SETTINGS_TEXT ||
               entry->kind == SETTINGS_ERROR || entry->kind == SETTINGS_MOMENT ||
               entry->kind == SETTINGS_DELAY || entry->kind == SETTINGS_SIZE;
    case LIBCONFIG_INTEGER:
        if (entry->kind != SETTINGS_COUNT && entry->kind != SETTINGS_CHOICE &&
            entry->kind != SETTINGS_ERROR && !is_fraction(entry))
            return false; /* a choice may be a status */
        if (libconfig_integer(reader->document, setting) < 0)
            return false;
        value_put_decimal(out, (uint64_t)libconfig_integer(reader->document, setting), 0, 0);
        return true;
    case LIBCONFIG_FLOAT:
        return is_fraction(entry) && write_fraction(entry, libconfig_float(reader->document, setting), out);
    case LIBCONFIG_BOOL:
        value_put(out, libconfig_bool(reader->document, setting) ? "true" : "false");
        return entry->kind == SETTINGS_BOOL;
    case LIBCONFIG_LIST:
    case LIBCONFIG_ARRAY:
        return is_list(entry) && join(reader, setting, entry, out);
    case LIBCONFIG_GROUP:
    case LIBCONFIG_NOTHING:
        break;
    }
    return false;
}

bool reader_take(struct reader *reader, const struct config_setting_t *setting, uint32_t owner,
                 unsigned index)
{
    const struct settings_entry *entry = settings_at(index);
    char text[TEXT_MOST];
    struct value_text out = {text, sizeof text, 0};

    text[0] = 0;
    if (!check_items(reader, setting, entry))
        return false;
    if (spell(reader, setting, entry, &out)) {
        struct assign_site site = reader_site(reader, setting);
        site.is_bare =
            libconfig_kind(setting) == LIBCONFIG_INTEGER || libconfig_kind(setting) == LIBCONFIG_FLOAT;
        return assign_text(&site, owner, index, text);
    }
    fault_of_value(reader, setting, entry);
    return false;
}

struct walk {
    struct reader *reader;
    enum settings_place place;
    uint32_t owner;
    const struct reader_own *own; /* on the first level only */
};

/* Where a key that stands in the wrong place belongs; NULL: nowhere. */
static const char *home_of(const char *key)
{
    static const char *const homes[] = {
        [SETTINGS_OF_FILE] = "to the file as a whole",
        [SETTINGS_OF_POLICY] = "into a policy or a rule of hosts",
        [SETTINGS_OF_SERVICE] = "into a service",
    };
    int index = settings_find(key, strlen(key));
    uint32_t bit;

    if (index >= 0)
        return homes[settings_at((unsigned)index)->place];
    for (unsigned place = 0; place < sizeof homes / sizeof homes[0]; place++)
        if (settings_is_group(key, strlen(key), (enum settings_place)place, &bit))
            return homes[place];
    return NULL;
}

static void unknown(const struct walk *walk, const struct config_setting_t *member, const char *key)
{
    const char *near = spelling_nearest(key, strlen(key), walk->place, walk->own->words);
    const char *home = home_of(key);
    bool is_slip = near && spelling_distance(near, strlen(near), key, strlen(key)) == 1;
    if (home && !is_slip)
        reader_fault(walk->reader, member, "unknown key '%s' here; it belongs %s", key, home);
    else if (near)
        reader_fault(walk->reader, member, "unknown key '%s', did you mean '%.*s'?", key,
                     (int)spelling_level_length(near, key), near);
    else
        reader_fault(walk->reader, member, "unknown key '%s'", key);
}

/* attempts and retries are one number. */
static bool says_twice(const struct walk *walk, const struct config_setting_t *group,
                       const struct config_setting_t *member, const struct settings_entry *entry)
{
    if (entry->surplus == 0 || !libconfig_member(walk->reader->document, group, "attempts"))
        return false;
    reader_fault(walk->reader, member, "retry.retries says the same as retry.attempts; expected one of them");
    return true;
}

static void walk_level(const struct walk *walk, const struct config_setting_t *group, const char *prefix);

static void walk_member(const struct walk *walk, const struct config_setting_t *group,
                        const struct config_setting_t *member, const char *key)
{
    uint32_t bit = 0;
    int index = settings_find(key, strlen(key));

    if (index >= 0 && settings_at((unsigned)index)->place == walk->place) {
        if (!says_twice(walk, group, member, settings_at((unsigned)index)))
            walk->reader->faulty[index] = !reader_take(walk->reader, member, walk->owner, (unsigned)index);
    } else if (!settings_is_group(key, strlen(key), walk->place, &bit)) {
        unknown(walk, member, key);
    } else if (libconfig_kind(member) != LIBCONFIG_GROUP) {
        char found[QUOTED_ROOM];
        reader_describe(walk->reader, member, found, sizeof found);
        reader_fault(walk->reader, member, "%s: found %s, expected a group { … }", key, found);
    } else {
        if (walk->place == SETTINGS_OF_POLICY)
            model_apply_group(walk->reader->model, walk->owner, bit);
        walk_level(walk, member, key);
    }
}

static void walk_level(const struct walk *walk, const struct config_setting_t *group, const char *prefix)
{
    for (uint32_t i = 0; i < libconfig_count(walk->reader->document, group); i++) {
        const struct config_setting_t *member = libconfig_item(walk->reader->document, group, i);
        char key[KEY_MOST];
        if (!prefix[0] && walk->own->take(walk->reader, member, walk->own->context))
            continue;
        snprintf(key, sizeof key, "%s%s%s", prefix, prefix[0] ? "." : "", libconfig_name(member));
        walk_member(walk, group, member, key);
    }
}

void reader_walk(struct reader *reader, const struct config_setting_t *group, enum settings_place place,
                 uint32_t owner, const struct reader_own *own)
{
    struct walk walk = {reader, place, owner, own};
    memset(reader->faulty, 0, sizeof reader->faulty);
    walk_level(&walk, group, "");
}
