/*
 * A verb's text, read back: its options and what it is given. Completions and the manual are made of it, so
 * that help, completion and manual cannot say different things.
 */
#ifndef GUSSET_TOOL_USAGE_H
#define GUSSET_TOOL_USAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/tool.h"

enum { USAGE_WORD = 128, USAGE_HELP = 256 };

/* What a value or an operand is, as far as a shell can help with it. */
enum usage_kind {
    USAGE_NOTHING, /* no value */
    USAGE_ANY,     /* a value that nobody can guess */
    USAGE_FILES,
    USAGE_COMMANDS,
    USAGE_VERBS,
    USAGE_WORDS, /* the words that stand in its name, between bars */
    USAGE_HOSTS, /* this and what follows: `gusset completion --list WORD` tells them */
    USAGE_POLICIES,
    USAGE_SETTINGS,
    USAGE_SERVICES
};

struct usage_option {
    char letter; /* 0: none */
    char name[USAGE_WORD];
    char value[USAGE_WORD]; /* as it is called: "FILE"; "" where it takes none */
    bool is_optional;       /* the value */
    enum usage_kind kind;
    char help[USAGE_HELP]; /* one line */
};

/* The next option of the verb's text; *at is NULL at first. Returns false behind the last. --help is none of
 * them. */
bool usage_next(const struct tool_verb *verb, const char **at, struct usage_option *option);

/* The verb's first operand, USAGE_NOTHING where it takes none; its name goes to word (USAGE_WORD bytes). */
enum usage_kind usage_operand(const struct tool_verb *verb, char *word);

/* "hosts", "policies", …: what `--list` takes for a kind; NULL for the others. */
const char *usage_list_name(enum usage_kind kind);

#endif
