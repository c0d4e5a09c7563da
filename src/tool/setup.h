/*
 * Which configuration holds for the command and for what it runs: the options are put into the
 * environment, where the shim finds them, and everything else follows from there.
 */
#ifndef GUSSET_TOOL_SETUP_H
#define GUSSET_TOOL_SETUP_H

#include <stdbool.h>
#include <stdio.h>

#include "config/load.h"
#include "config/rules.h"
#include "config/source.h"
#include "tool/options.h"

struct setup { /* what the options said; zero says nothing */
    const char *config;
    const char *policy;
    struct options_list sets;
};

/* Puts it into the environment. Returns 0, or -1 after a complaint. */
int setup_apply(const struct setup *setup);

/* Spells a relative $GUSSET_STATE out. Returns 0, or -1 after a complaint. */
int setup_state(void);

/*
 * With no configuration at all `gusset run` takes standard for every host; the environment says that nobody
 * asked for it. Returns 0, or -1 after a complaint.
 */
int setup_assume(void);

/* The request and the paths that follow from the environment. Returns 0, or -1 after a complaint. */
int setup_request(const struct setup *setup, struct source_request *request, struct source_paths *paths);

/* One fault a line, errors before their count. */
void setup_print_faults(FILE *to, const struct fault_list *faults);

/*
 * Opens the rules that hold, compiling them where they are stale. Returns 0 (*rules NULL: no configuration),
 * or -1 after every fault was printed.
 */
int setup_rules(const struct setup *setup, const struct rules **rules);

/* The file that the model was made of, NULL when there is none. Borrowed from paths. */
const char *setup_file(const struct model *model, const struct source_paths *paths);

/* A model that may be read; 0, or -1 after every fault was printed. model_clear ends it in either case. */
int setup_model(const struct setup *setup, struct model *model);

/* The same without a word; an empty model where the configuration is faulty. */
void setup_model_or_empty(const struct setup *setup, struct model *model);

#endif
