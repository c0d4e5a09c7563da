/* Settings of one policy that are each in their range, but not together. */
#ifndef GUSSET_CONFIG_CONFLICT_H
#define GUSSET_CONFIG_CONFLICT_H

#include <stdbool.h>

#include "core/policy.h"

enum { CONFLICT_TEXT_MOST = 128 };

struct conflict {
    unsigned setting, partner;     /* settings_at; the same where it stands alone */
    char text[CONFLICT_TEXT_MOST]; /* a sentence, with both values */
};

/* The next contradiction of a policy; *at is 0 to begin with. Returns false when there is none left. */
bool conflict_next(const struct policy *policy, unsigned *at, struct conflict *conflict);

/* Raises what lies below its partner, so that no contradiction of that kind is left. */
void conflict_mend(struct policy *policy);

#endif
