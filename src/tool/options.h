/*
 * Options of a verb, from a table: name, letter, and where the value goes. --help and --color are known
 * to every verb without being listed.
 */
#ifndef GUSSET_TOOL_OPTIONS_H
#define GUSSET_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/tool.h"

enum options_kind {
    OPTIONS_FLAG,  /* to: bool */
    OPTIONS_TEXT,  /* to: const char *; the last one counts */
    OPTIONS_MAYBE, /* to: const char *; "" where no number follows */
    OPTIONS_EACH   /* to: struct options_list; all count */
};

struct options_entry {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0: none */
    enum options_kind kind;
    void *to;
};

struct options_list { /* zero is an empty list */
    const char **items;
    unsigned count;
};

/* Adds an item, which must live as long as the list; ends the command where there is no memory. */
void options_add(struct options_list *list, const char *item);

struct options {
    const struct tool_verb *verb;
    int most; /* operands; < 0: any number, and options end at the first */
    char **operands;
    int count;
};

enum { OPTIONS_GO = -1, OPTIONS_ROOM = 24 };

/*
 * Reads the arguments (argv[0] is the verb). entries may be NULL. Returns OPTIONS_GO with the operands in
 * *options, or the exit status after help or a complaint was printed.
 */
int options_read(struct options *options, const struct options_entry *entries, int argc, char **argv);

/* Complains in the verb's name and returns its status for misuse. */
int options_misused(const struct tool_verb *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A whole number up to most; false when text is none. */
bool options_number(const char *text, uint32_t most, uint32_t *number);

#endif
