/*
 * dlsym's answer for a curl function that gusset stands in front of: programs that reach libcurl through
 * an interpreter (ctypes, FFI) never ask the loader by reference. Which functions those are is read from
 * gusset's own exports, so there is no second list.
 */
#ifndef GUSSET_LOADER_LOOKUP_H
#define GUSSET_LOADER_LOOKUP_H

#include <stdbool.h>

/*
 * Whether gusset exports the name, and the caller (a return address) is none that defines it itself: such
 * a one is a wrapper as we are, and our answer would lead it in a circle.
 */
bool lookup_knows(const char *name, const void *caller);

/*
 * As dlsym (version NULL) or dlvsym, called by gusset: gusset's function where the loader's answer is the one
 * that it stands in front of, else the loader's answer. dlerror is left as the loader left it.
 */
void *lookup_find(void *library, const char *name, const char *version);

#endif
