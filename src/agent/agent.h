/* The optional daemon, a verb of the command. Nothing needs it, and its end harms nobody. */
#ifndef GUSSET_AGENT_AGENT_H
#define GUSSET_AGENT_AGENT_H

#include "tool/tool.h"

int agent_act(const struct tool_verb *verb, int argc, char **argv);

#endif
