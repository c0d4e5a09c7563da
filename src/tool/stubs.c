#include "tool/tool.h"
#include "tool/output.h"
#define STUB(NAME) int tool_##NAME(const struct tool_verb *verb, int argc, char **argv) { (void)argc; (void)argv; output_error("%s: not yet", verb->name); return 1; }
STUB(check) STUB(explain) STUB(reload)
