/*
 * What gusset measures, as families for collectors. A name here is a promise: dashboards and alerts are built
 * on it. Labels are the host ("name:port"), the policy's name and the mode; never a URL.
 */
#ifndef GUSSET_TOOL_METER_H
#define GUSSET_TOOL_METER_H

#include "tool/exposition.h"
#include "tool/reading.h"

/* What a counter of the state is called, without "gusset_" and "_total". Static. */
const char *meter_counter_name(enum layout_counter counter);

/* Writes every family of a look at the state. */
void meter_write(struct exposition *out, struct reading *reading);

#endif
