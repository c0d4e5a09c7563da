/*
 * Opening as the caller would: what is done once an object has been opened must be done by a call and not by
 * a jump, and the loader would take gusset for the caller. It matters for a bare name alone, and only where
 * the caller has a search path of its own.
 */
#ifndef GUSSET_LOADER_DEEP_H
#define GUSSET_LOADER_DEEP_H

#include <stdbool.h>

/*
 * dlopen(file, mode) for the caller (a return address), and then rebind_library. False where it must be left
 * to the caller itself; otherwise *library is dlopen's answer, and dlerror tells of it.
 */
bool deep_open(const char *file, int mode, const void *caller, void **library);

#endif
