/* The registry of a file: services by name, and where they run. */
#ifndef GUSSET_CONFIG_SERVICES_H
#define GUSSET_CONFIG_SERVICES_H

#include "config/reader.h"

/*
 * Reads the list `services` into the model; policies and hosts must be there. A service's policy becomes a
 * rule for its name, unless with_rules is false (a policy was named for every host) or a rule of hosts says
 * as much.
 */
void services_read(struct reader *reader, const struct config_setting_t *list, bool with_rules);

#endif
