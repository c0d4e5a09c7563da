/* Tests of what an emulator of another architecture (scripts/run-tests: EMULATOR) does differently from a
 * kernel. */
#ifndef GUSSET_TESTS_EMULATED_H
#define GUSSET_TESTS_EMULATED_H

#include <stdlib.h>

static inline void unless_emulated(const char *reason)
{
    if (!getenv("EMULATED"))
        return;
    print_message("skipped: %s\n", reason);
    skip();
}

#endif
