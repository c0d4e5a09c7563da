/*
 * The command's verbs: a row each in main's table, a file each. A verb reads its options, does its work
 * and returns the exit status; stdio and malloc are fine here, the shim's code is not.
 */
#ifndef GUSSET_TOOL_TOOL_H
#define GUSSET_TOOL_TOOL_H

#include <stdio.h>

enum tool_status {
    TOOL_FINE = 0,
    TOOL_FAULTS = 1,  /* faults found, or nothing found, or it could not be done */
    TOOL_MISUSE = 2,  /* wrong options */
    TOOL_FAILED = 125 /* run: gusset itself failed; 126 and 127 as env(1) and timeout(1) have them */
};

struct tool_verb {
    const char *name;
    const char *help;                                                /* a line */
    const char *synopsis;                                            /* what follows "gusset" */
    const char *text;                                                /* options and notes; may be "" */
    const char *examples;                                            /* whole lines */
    int (*act)(const struct tool_verb *verb, int argc, char **argv); /* argv[0] is the verb */
    int misuse;                                                      /* exit status of wrong options */
};

/* The table; a row without a name ends it. */
extern const struct tool_verb tool_verbs[];

/* The verb of that name, or NULL. */
const struct tool_verb *tool_find(const char *name);

/* Complains about a verb that is none; returns TOOL_MISUSE. */
int tool_unknown_verb(const char *word);

int tool_run(const struct tool_verb *verb, int argc, char **argv);
int tool_check(const struct tool_verb *verb, int argc, char **argv);
int tool_explain(const struct tool_verb *verb, int argc, char **argv);
int tool_doctor(const struct tool_verb *verb, int argc, char **argv);
int tool_status(const struct tool_verb *verb, int argc, char **argv);
int tool_events(const struct tool_verb *verb, int argc, char **argv);
int tool_trip(const struct tool_verb *verb, int argc, char **argv);
int tool_reset(const struct tool_verb *verb, int argc, char **argv);
int tool_on(const struct tool_verb *verb, int argc, char **argv);
int tool_off(const struct tool_verb *verb, int argc, char **argv);
int tool_mode(const struct tool_verb *verb, int argc, char **argv);
int tool_services(const struct tool_verb *verb, int argc, char **argv);
int tool_reload(const struct tool_verb *verb, int argc, char **argv);
int tool_metrics(const struct tool_verb *verb, int argc, char **argv);
int tool_completion(const struct tool_verb *verb, int argc, char **argv);
int tool_simulate(const struct tool_verb *verb, int argc, char **argv);
int tool_replay(const struct tool_verb *verb, int argc, char **argv);
int tool_help(const struct tool_verb *verb, int argc, char **argv);

/* What `gusset --help` and `gusset VERB --help` print. */
void tool_print_overview(FILE *to);
void tool_print_verb(FILE *to, const struct tool_verb *verb);

#endif
