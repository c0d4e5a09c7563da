#include "tool/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/spelling.h"
#include "tool/output.h"

enum { HELP = 256, COLOR, FIRST }; /* what getopt_long returns; entries follow FIRST in their order */

/* The table in the two forms that getopt_long wants. */
struct forms {
    char letters[3 * OPTIONS_ROOM + 8];
    struct option names[OPTIONS_ROOM + 3];
};

/* What getopt_long calls it: no, required or optional argument. */
static int argument_of(const struct options_entry *entry)
{
    return entry->kind == OPTIONS_FLAG    ? no_argument
           : entry->kind == OPTIONS_MAYBE ? optional_argument
                                          : required_argument;
}

static void add_letter(struct forms *forms, char letter, int argument)
{
    static const char *const marks[] = {"", ":", "::"};
    char text[4] = {letter};

    strcat(strcat(forms->letters, text), marks[argument]);
}

static unsigned prepare(struct forms *forms, const struct options *options,
                        const struct options_entry *entries)
{
    unsigned count = 0;

    /* A leading colon tells a missing value from an unknown option, a plus ends at the first operand. */
    strcpy(forms->letters, options->most < 0 ? "+:h" : ":h");
    for (; entries && entries[count].name && count < OPTIONS_ROOM; count++) {
        int argument = argument_of(&entries[count]);
        forms->names[count] = (struct option){entries[count].name, argument, NULL, (int)(FIRST + count)};
        if (entries[count].letter)
            add_letter(forms, entries[count].letter, argument);
    }
    forms->names[count] = (struct option){"help", no_argument, NULL, HELP};
    forms->names[count + 1] = (struct option){"color", required_argument, NULL, COLOR};
    forms->names[count + 2] = (struct option){0};
    return count;
}

void options_add(struct options_list *list, const char *item)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (!items)
        output_die("out of memory");
    items[list->count++] = item;
    list->items = items;
}

static void store(const struct options_entry *entry, const char *value)
{
    switch (entry->kind) {
    case OPTIONS_FLAG:
        *(bool *)entry->to = true;
        return;
    case OPTIONS_TEXT:
        *(const char **)entry->to = value;
        return;
    case OPTIONS_MAYBE:
        *(const char **)entry->to = value ? value : "";
        return;
    case OPTIONS_EACH:
        options_add(entry->to, value);
        return;
    }
}

static const struct options_entry *entry_of(const struct options_entry *entries, unsigned count, int option)
{
    if (option >= FIRST)
        return &entries[option - FIRST];
    for (unsigned i = 0; i < count; i++)
        if (entries[i].letter && entries[i].letter == option)
            return &entries[i];
    return NULL;
}

/* The option that was meant, or NULL. */
static const char *nearest(const struct forms *forms, const char *word)
{
    const char *found = NULL;
    size_t length = strcspn(word, "=");
    unsigned best = spelling_reach(length);

    for (const struct option *name = forms->names; name->name; name++) {
        unsigned distance = spelling_distance(name->name, strlen(name->name), word, length);
        if (distance < best) {
            best = distance;
            found = name->name;
        }
    }
    return found;
}

int options_misused(const struct tool_verb *verb, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_error("%s: %s; `gusset help %s` says how it goes", verb->name, text, verb->name);
    return verb->misuse;
}

static int unknown(const struct options *options, const struct forms *forms, const char *word)
{
    const char *near = strncmp(word, "--", 2) == 0 ? nearest(forms, word + 2) : NULL;

    return options_misused(options->verb, "unknown option %.*s%s%s%s", (int)strcspn(word, "="), word,
                           near ? " (--" : "", near ? near : "", near ? "?)" : "");
}

static int take_operands(struct options *options, int argc, char **argv)
{
    options->operands = argv + optind;
    options->count = argc - optind;
    if (options->most >= 0 && options->count > options->most)
        return options_misused(options->verb, "too many arguments, %d where at most %d is taken",
                               options->count,
                               options->most); /* none is repeated: it may be a URL with a password */
    return OPTIONS_GO;
}

/* getopt_long takes an optional value only where it hangs on the option; people write a number behind it. */
static bool is_numeric(const char *text)
{
    return *text >= '0' && *text <= '9' && strspn(text, "0123456789.") == strlen(text);
}

int options_read(struct options *options, const struct options_entry *entries, int argc, char **argv)
{
    struct forms forms = {.letters = ""};
    unsigned count = prepare(&forms, options, entries);
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, forms.letters, forms.names, NULL)) != -1) {
        const struct options_entry *entry = entry_of(entries, count, option);
        if (option == HELP || option == 'h') {
            tool_print_verb(stdout, options->verb);
            return TOOL_FINE;
        }
        if (option == COLOR && !output_set_color(optarg))
            return options_misused(options->verb, "--color takes auto, always or never, not \"%s\"", optarg);
        if (option == ':')
            return options_misused(options->verb, "%s wants a value", argv[optind - 1]);
        if (option == '?' && optopt >= FIRST)
            return options_misused(options->verb, "--%s takes no value", forms.names[optopt - FIRST].name);
        if (option == '?' && optopt && optopt < HELP)
            return options_misused(options->verb, "unknown option -%c", optopt);
        if (option == '?')
            return unknown(options, &forms, argv[optind - 1]);
        if (entry && entry->kind == OPTIONS_MAYBE && !optarg && optind < argc && is_numeric(argv[optind]))
            optarg = argv[optind++];
        if (entry)
            store(entry, optarg);
    }
    return take_operands(options, argc, argv);
}

bool options_number(const char *text, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;

    if (!*text || strlen(text) > 10)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *number = (uint32_t)value;
    return value <= most;
}
