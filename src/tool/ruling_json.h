/* A ruling as one JSON object, on standard output. */
#ifndef GUSSET_TOOL_RULING_JSON_H
#define GUSSET_TOOL_RULING_JSON_H

#include "tool/ruling.h"

void ruling_json_print(const struct ruling *ruling);

#endif
