/*
 * Deep binding (RTLD_DEEPBIND, as PHP opens its extensions): an object and what it brings along find their
 * own libraries, libc among them, before any preload library. The binding stays as deep as it was asked for;
 * only the slots that then hold a function which gusset stands in front of are given gusset's, as if it had
 * been met.
 */
#ifndef GUSSET_LOADER_REBIND_H
#define GUSSET_LOADER_REBIND_H

/*
 * Rebinds what dlopen has just returned, and all that it needs and that did not come with the program. What
 * is bound to a function of somebody else (a library of its own that wraps connect) is left alone. dlerror is
 * empty afterwards.
 */
void rebind_library(void *library);

#endif
