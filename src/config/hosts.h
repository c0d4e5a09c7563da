/* The rules of a file: which place, under which conditions, leads to which policy. */
#ifndef GUSSET_CONFIG_HOSTS_H
#define GUSSET_CONFIG_HOSTS_H

#include "config/reader.h"

/* Reads the list `hosts` into the model; the policies must be there. */
void hosts_read(struct reader *reader, const struct config_setting_t *list);

#endif
