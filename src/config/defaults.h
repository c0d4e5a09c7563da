/* The defaults of the table of settings, put where they hold. Texts are left as they are: who owns the pool
 * that they lie in stores them. */
#ifndef GUSSET_CONFIG_DEFAULTS_H
#define GUSSET_CONFIG_DEFAULTS_H

#include "config/settings.h"

/* Switches a group of the policy on: enum policy_group, one bit or several. */
void defaults_apply_group(struct policy *policy, uint32_t group);

/* All settings of the file, or of a service; the texts are at 0 then. */
void defaults_apply_globals(struct settings_globals *globals);
void defaults_apply_service(struct settings_service *service);

#endif
