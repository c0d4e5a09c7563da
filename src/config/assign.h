/*
 * One value for one setting, from the file or from --set: held against the table of settings, templates
 * by their present expansion, and recorded in the model; or a fault that says what was expected.
 */
#ifndef GUSSET_CONFIG_ASSIGN_H
#define GUSSET_CONFIG_ASSIGN_H

#include <stdbool.h>

#include "config/fault.h"
#include "config/model.h"

/* Where a value was written, and where faults go. */
struct assign_site {
    struct model *model;
    struct fault_list *faults;
    const char *file; /* borrowed, and read before the model's pool grows */
    uint32_t line;
    struct model_origin origin;
    bool is_bare; /* the value stands there without quotation marks */
};

/*
 * Gives the setting (an index of the table) of a policy or service, whose number owner is (MODEL_NONE for a
 * setting of the file), the value that text spells; lists have commas between. Returns false after a fault.
 */
bool assign_text(const struct assign_site *site, uint32_t owner, unsigned setting, const char *text);

/*
 * Applies the lines of $GUSSET_SET ("retry.attempts=4") on top of every policy of the model and of the
 * file's own settings. To be called when all policies are there. by: who said them, for sentences.
 */
void assign_set(struct model *model, const char *set, const char *by, struct fault_list *faults);

/* Writes a value for people: in quotes, control characters as \x.., a long one cut. */
void assign_quote(const char *value, size_t length, char *text, size_t size);

/*
 * A fault for every two settings of the policy that contradict each other. faulty (NULL: none) tells, by
 * index of the table, of which settings what was written is a fault already: nothing follows from those.
 */
void assign_check(const struct assign_site *site, uint32_t policy, const bool *faulty);

#endif
