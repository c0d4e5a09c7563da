/*
 * Why a call is treated as it is: for the command's explain. Works on a model (config/load.h), which,
 * unlike the image, knows the place that each setting came from.
 */
#ifndef GUSSET_CONFIG_EXPLAIN_H
#define GUSSET_CONFIG_EXPLAIN_H

#include <stdbool.h>

#include "config/model.h"
#include "config/rules.h"

enum explain_verdict {
    EXPLAIN_MATCHES,
    EXPLAIN_OTHER_PORT,
    EXPLAIN_OTHER_METHOD,
    EXPLAIN_OTHER_PATH,
    EXPLAIN_OTHER_PROGRAM
};

struct explain_candidate {
    const struct model_rule *rule;
    uint32_t number;  /* of the rule in the file, from 0 */
    const char *path; /* of the rule's paths the one that was looked at; "" where it has none */
    enum explain_verdict verdict;
};

/*
 * The next rule whose pattern fits the place, whatever its port and filters say, the most specific first; *at
 * begins at 0. The first that EXPLAIN_MATCHES is the one that wins.
 */
bool explain_next(const struct model *model, const struct rules_query *query, const char *program,
                  uint32_t *at, struct explain_candidate *candidate);

/* What is wrong with a candidate: "another port", ... Static. */
const char *explain_verdict_text(enum explain_verdict verdict);

enum { EXPLAIN_TEXT_MOST = 1024 };

struct explain_setting {
    const struct settings_entry *entry;
    char value[EXPLAIN_TEXT_MOST];  /* what holds now; a text as its template */
    const char *template;           /* as written, where it holds ${…}; else NULL */
    char origin[EXPLAIN_TEXT_MOST]; /* "/etc/gusset/gusset.cfg:12", "built-in quick", "default", "--set" */
};

/*
 * One setting (index of the table) of a policy, or of the file where policy is MODEL_NONE. False when the
 * table's index is no setting of that place, an alias, or of a group that the policy does not apply.
 */
bool explain_setting(const struct model *model, uint32_t policy, unsigned index, struct explain_setting *out);

/* The same for a setting of a service; false for another place's. */
bool explain_service_setting(const struct model *model, uint32_t service, unsigned index,
                             struct explain_setting *out);

/* Writes an origin as in explain_setting. */
void explain_origin(const struct model *model, const struct model_origin *origin, char *text, size_t size);

#endif
