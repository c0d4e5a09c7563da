/*
 * An option's line begins with two blanks and a dash, the sentence about it behind two blanks or on the next
 * line: -f, --follow        go on as events come
 *   --tenant ID, --project ID, --request-id ID
 *                       what the calls carry
 */
#include "tool/usage.h"

#include <string.h>

static const struct {
    const char *word; /* how a value of this kind begins */
    enum usage_kind kind;
} kinds[] = {
    {"FILE",      USAGE_FILES   },
    {"PROGRAM",   USAGE_COMMANDS},
    {"COMMAND",   USAGE_COMMANDS},
    {"P",         USAGE_COMMANDS},
    {"VERB",      USAGE_VERBS   },
    {"HOST",      USAGE_HOSTS   },
    {"URL",       USAGE_HOSTS   },
    {"NAME",      USAGE_POLICIES},
    {"POLICY",    USAGE_POLICIES},
    {"KEY=VALUE", USAGE_SETTINGS},
    {"SERVICE",   USAGE_SERVICES},
};

/* Where a word begins: behind brackets. */
static const char *begin_of(const char *word)
{
    return word + strspn(word, "[");
}

static bool is_upper(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

static enum usage_kind kind_of(const char *value)
{
    const char *word = begin_of(value);

    if (!*word)
        return USAGE_NOTHING;
    if (!is_upper(*word) && strchr(word, '|'))
        return USAGE_WORDS;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].word);
        if (strncmp(word, kinds[i].word, length) == 0 && !is_upper(word[length]))
            return kinds[i].kind;
    }
    return USAGE_ANY;
}

static void take(char *to, size_t size, const char *from, size_t length)
{
    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

/* The sentence: behind two blanks on this line, else the next line's. */
static void read_help(const char *line, char *help)
{
    size_t length = strcspn(line, "\n");
    const char *gap = strstr(line, "  ");

    if (!gap || gap > line + length)
        gap =
            line[length] && strncmp(line + length + 1, "      ", 6) == 0 ? line + length + 1 : line + length;
    gap += strspn(gap, " ");
    take(help, USAGE_HELP, gap, strcspn(gap, "\n"));
}

/* Reads "-f", "--lines N", "--watch [SECONDS]" at the text; returns what is behind it. */
static const char *read_one(const char *at, struct usage_option *option)
{
    size_t length = strcspn(at, " ,\n");

    if (at[1] != '-') {
        option->letter = at[1];
        option->name[0] = '\0';
    } else {
        take(option->name, USAGE_WORD, at + 2, length - 2);
    }
    at += length;
    option->value[0] = '\0';
    if (at[0] == ' ' && at[1] != ' ' && at[1] != '-' && at[1]) {
        length = strcspn(++at, " ,\n");
        take(option->value, USAGE_WORD, at, length);
        at += length;
    }
    option->is_optional = option->value[0] == '[' && option->value[strlen(option->value) - 1] == ']';
    option->kind = kind_of(option->value);
    return at;
}

bool usage_next(const struct tool_verb *verb, const char **at, struct usage_option *option)
{
    const char *text = *at ? *at : verb->text;

    *option = (struct usage_option){.letter = 0};
    while (*text && strncmp(text, ", --", 4) != 0) { /* the rest of a line, or the next that has an option */
        if (strncmp(text, "  -", 3) == 0 && (text == verb->text || text[-1] == '\n'))
            break;
        text++;
    }
    if (!*text)
        return false;
    text = read_one(text + 2, option);
    if (!option->name[0]) /* a letter, then its name */
        text = read_one(text + 2, option);
    read_help(text, option->help);
    *at = text;
    return true;
}

enum usage_kind usage_operand(const struct tool_verb *verb, char *word)
{
    const char *at = verb->synopsis + strcspn(verb->synopsis, " ");

    while (*at) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        bool is_option = *begin_of(at) == '-' || *begin_of(at) == '(';
        if (is_option && *at == '[') /* with its value, to the bracket's end */
            for (int depth = 0; at[0]; at++) {
                depth += (*at == '[') - (*at == ']');
                if (depth == 0)
                    break;
            }
        else if (!is_option && length && strncmp(at, "[OPTION", 7) != 0) {
            take(word, USAGE_WORD, at, length);
            return kind_of(word);
        }
        at += strcspn(at, " ");
    }
    word[0] = '\0';
    return USAGE_NOTHING;
}

const char *usage_list_name(enum usage_kind kind)
{
    switch (kind) {
    case USAGE_HOSTS:
        return "hosts";
    case USAGE_POLICIES:
        return "policies";
    case USAGE_SETTINGS:
        return "settings";
    case USAGE_SERVICES:
        return "services";
    case USAGE_NOTHING:
    case USAGE_ANY:
    case USAGE_FILES:
    case USAGE_COMMANDS:
    case USAGE_VERBS:
    case USAGE_WORDS:
        break;
    }
    return NULL;
}
