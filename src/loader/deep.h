/*
 * Deep binding (RTLD_DEEPBIND, as PHP opens its extensions): the object finds its own libraries before
 * any preload library. What is asked here is whether libcurl is among them.
 */
#ifndef GUSSET_LOADER_DEEP_H
#define GUSSET_LOADER_DEEP_H

#include <stdbool.h>

/*
 * Whether the file that dlopen would open for the caller (a return address) is libcurl or needs it, itself or
 * through libraries that it would bring along. False where the file is not found.
 */
bool deep_binds_curl(const char *file, const void *caller);

#endif
