#include "tool/manual.h"

#include <string.h>

#include "config/preset.h"
#include "config/print.h"
#include "config/settings.h"
#include "tool/output.h"
#include "tool/usage.h"

enum { SENTENCE = 512 };

/* ---- text ---- */

static bool is_capital(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

/*
 * Text as roff wants it: no control line begins by accident, backslashes, backticks and options' dashes stay
 * what they are, an ellipsis is three points: what pages are read with need not be UTF-8.
 */
static void put_text(FILE *to, const char *text, size_t length)
{
    static const char ellipsis[] = "…";
    const size_t long_one = sizeof ellipsis - 1;

    if (length && (*text == '.' || *text == '\''))
        fputs("\\&", to);
    for (size_t i = 0; i < length; i++) {
        if (length - i >= long_one && memcmp(text + i, ellipsis, long_one) == 0) {
            fputs("...", to);
            i += long_one - 1;
        } else if (i + 2 < length && memcmp(text + i, ". ", 2) == 0 && is_capital(text[i + 2])) {
            fputs(".\n", to); /* a sentence begins a line */
            i++;
        } else if (text[i] == '\\') {
            fputs("\\e", to);
        } else if (text[i] == '`') {
            fputs("\\(ga", to);
        } else if (text[i] == '-' && (i == 0 || strchr(" -[|(", text[i - 1]))) {
            fputs("\\-", to);
        } else {
            fputc(text[i], to);
        }
    }
}

static void put(FILE *to, const char *text)
{
    put_text(to, text, strlen(text));
}

static void put_line(FILE *to, const char *text, size_t length)
{
    put_text(to, text, length);
    fputc('\n', to);
}

/* A sentence of a table, which has no full stop. */
static void put_sentence(FILE *to, const char *text)
{
    put(to, text);
    fputs(".\n", to);
}

/* ---- verbs ---- */

static void write_options(const struct tool_verb *verb, FILE *to)
{
    struct usage_option option;
    bool is_open = false;

    for (const char *at = NULL; usage_next(verb, &at, &option); is_open = true) {
        if (!is_open)
            fputs(".Bl -tag -width Ds\n", to);
        fputs(".It ", to);
        if (option.letter)
            fprintf(to, "Fl %c , ", option.letter);
        fprintf(to, "Fl \\-%s", option.name);
        if (option.value[0]) {
            fputs(" Ar ", to);
            put(to, option.value);
        }
        fputc('\n', to);
        put_sentence(to, option.help);
    }
    if (is_open)
        fputs(".El\n", to);
}

/* Lines of a text that belong to its paragraphs: neither an option nor what is said of one. */
static bool is_prose(const char *line)
{
    return *line != ' ';
}

static void write_notes(const char *text, FILE *to)
{
    bool is_begun = false, was_blank = true;

    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length && is_prose(text)) {
            if (was_blank)
                fputs(".Pp\n", to);
            put_line(to, text, length);
            is_begun = true;
        }
        was_blank = length == 0 || (!is_begun && was_blank);
        text += length + (text[length] == '\n');
    }
}

static void write_examples(const char *text, FILE *to)
{
    fputs(".Bd -literal -offset indent\n", to);
    while (*text) {
        size_t length = strcspn(text, "\n");
        fputs("$ ", to);
        put_line(to, text + strspn(text, " "), length - strspn(text, " "));
        text += length + (text[length] == '\n');
    }
    fputs(".Ed\n", to);
}

static void write_verbs(FILE *to)
{
    for (const struct tool_verb *verb = tool_verbs; verb->name; verb++) {
        fputs(".Ss gusset ", to);
        put_line(to, verb->synopsis, strlen(verb->synopsis));
        fputc(*verb->help >= 'a' && *verb->help <= 'z' ? *verb->help - 'a' + 'A' : *verb->help, to);
        put(to, verb->help + 1);
        fputs(".\n", to);
        write_options(verb, to);
        write_notes(verb->text, to);
        write_examples(verb->examples, to);
    }
}

/* ---- settings ---- */

static void write_setting(const struct settings_entry *entry, FILE *to)
{
    char expected[SENTENCE];

    print_expected(entry, expected, sizeof expected);
    fprintf(to, ".It Ic %s\n", entry->key);
    put(to, entry->help);
    fputs("; ", to);
    put(to, expected);
    if (entry->initial[0]) {
        fputs("; default:\n.Ql ", to);
        put(to, entry->initial);
        fputs(" .\n", to);
    } else {
        fputs("; by default empty.\n", to);
    }
}

static void write_settings(enum settings_place place, FILE *to)
{
    fputs(".Bl -tag -width Ds\n", to);
    for (unsigned i = 0; i < settings_count(); i++)
        if (settings_at(i)->place == place)
            write_setting(settings_at(i), to);
    fputs(".El\n", to);
}

static void write_settings_of_file(FILE *to)
{
    write_settings(SETTINGS_OF_FILE, to);
}

static void write_settings_of_policy(FILE *to)
{
    write_settings(SETTINGS_OF_POLICY, to);
}

static void write_settings_of_service(FILE *to)
{
    write_settings(SETTINGS_OF_SERVICE, to);
}

/* ---- built-in policies: what each changes of the first ---- */

static void write_differences(const struct policy *policy, const struct policy *standard, FILE *to)
{
    char value[SENTENCE], usual[SENTENCE];
    const char *before = "";

    for (unsigned i = 0; i < settings_count(); i++) {
        const struct settings_entry *entry = settings_at(i);
        if (entry->place != SETTINGS_OF_POLICY || entry->kind == SETTINGS_TEXT || entry->surplus)
            continue;
        print_field(entry, policy, "", value, sizeof value);
        print_field(entry, standard, "", usual, sizeof usual);
        if (strcmp(value, usual) == 0)
            continue;
        fprintf(to, "%s%s ", before, entry->key);
        put(to, value);
        before = ", ";
    }
    fputs(before[0] ? ".\n" : "The defaults of the table above.\n", to);
}

static void write_policies(FILE *to)
{
    struct model model;

    if (model_init(&model) < 0)
        output_die("out of memory");
    uint32_t standard = preset_add(&model, preset_name(0));
    fputs(".Bl -tag -width Ds\n", to);
    for (unsigned i = 0; preset_name(i); i++) {
        uint32_t policy = preset_add(&model, preset_name(i));
        fprintf(to, ".It Ic %s\n", preset_name(i));
        write_differences(&model_policy(&model, policy)->values, &model_policy(&model, standard)->values, to);
    }
    fputs(".El\n", to);
    model_clear(&model);
}

static const struct {
    const char *name;
    void (*write)(FILE *to);
} parts[] = {
    {"verbs",               write_verbs              },
    {"settings-of-file",    write_settings_of_file   },
    {"settings-of-policy",  write_settings_of_policy },
    {"settings-of-service", write_settings_of_service},
    {"policies",            write_policies           },
};

bool manual_write(const char *part, FILE *to)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, part) == 0) {
            parts[i].write(to);
            return true;
        }
    return false;
}
