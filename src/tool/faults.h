/* Rehearsed faults, told loudly: nobody may mistake them for an outage. */
#ifndef GUSSET_TOOL_FAULTS_H
#define GUSSET_TOOL_FAULTS_H

#include <stdio.h>

#include "config/model.h"

/* A line for each policy whose faults may act now; nothing where none does. before: put in front of it. */
void faults_tell(const struct model *model, FILE *to, const char *before);

#endif
