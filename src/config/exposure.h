/* What a rule for every host would tell third parties. */
#ifndef GUSSET_CONFIG_EXPOSURE_H
#define GUSSET_CONFIG_EXPOSURE_H

#include "config/reader.h"

/*
 * Warns, at the rule's line, where it means "*" and its policy (or one of its variants) propagates what the
 * environment says of a request, or has a header whose value is likely a secret: one from a file or a
 * variable, or credentials.
 */
void exposure_warn(const struct reader *reader, const struct config_setting_t *group,
                   const struct model_rule *rule);

#endif
