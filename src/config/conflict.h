/* Settings of one policy that are each in their range, but not together. */
#ifndef GUSSET_CONFIG_CONFLICT_H
#define GUSSET_CONFIG_CONFLICT_H

#include "core/policy.h"

/*
 * What two settings of a policy contradict each other: returns a sentence and sets *index to the setting
 * at fault (settings_at), or NULL when all is well.
 */
const char *conflict_find(const struct policy *policy, unsigned *index);

/* Raises what lies below its partner, so that no contradiction is left. */
void conflict_mend(struct policy *policy);

#endif
