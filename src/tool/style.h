/* How good news looks and how bad: the same in tables and on the agent's page. */
#ifndef GUSSET_TOOL_STYLE_H
#define GUSSET_TOOL_STYLE_H

#include "tool/output.h"
#include "tool/snapshot.h"
#include "tool/vitals.h"

enum output_style style_circuit(const struct snapshot *host);
enum output_style style_health(enum vitals_state state);

#endif
