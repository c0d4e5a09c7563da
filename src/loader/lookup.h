/*
 * dlsym's answer for a curl function that gusset stands in front of: programs that reach libcurl through
 * an interpreter (ctypes, FFI) never ask the loader by reference. Which functions those are is read from
 * gusset's own exports, so there is no second list.
 */
#ifndef GUSSET_LOADER_LOOKUP_H
#define GUSSET_LOADER_LOOKUP_H

#include <stdbool.h>

/* Whether it is the name of a function of libcurl's. Nothing of libc is called. */
bool lookup_is_curls(const char *name);

/*
 * Whether gusset exports the name, and the caller (a return address) is none that defines it itself: such
 * a one is a wrapper as we are, and our answer would lead it in a circle.
 */
bool lookup_knows(const char *name, const void *caller);

/* Gusset's function where the one found, of that name, is a libcurl's that it stands in front of; else NULL.
 */
void *lookup_in_front_of(const void *found, const char *name);

/*
 * As dlsym (version NULL) or dlvsym, called by gusset: gusset's function where the loader's answer is the one
 * that it stands in front of, else the loader's answer. dlerror is left as the loader left it.
 */
void *lookup_find(void *library, const char *name, const char *version);

#endif
