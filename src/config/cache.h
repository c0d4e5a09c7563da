/*
 * Images in files, so that only the first process compiles: one for each combination of paths, policy
 * and settings that a program was started with. Secrets may lie in them, so the file is the user's alone.
 */
#ifndef GUSSET_CONFIG_CACHE_H
#define GUSSET_CONFIG_CACHE_H

#include <stddef.h>

#include "config/image.h"
#include "config/source.h"

enum { CACHE_FOLDER_MOST = 512, CACHE_PATH_MOST = CACHE_FOLDER_MOST + 64 };

/* Writes the path of the file for this request: /dev/shm/gusset-UID.rules-HEX. */
void cache_path(const struct source_paths *paths, const struct source_request *request,
                char path[CACHE_PATH_MOST]);

/*
 * Maps the image that answers the request. Returns 0, or -ENOENT (none), -EPERM (not ours alone), -EBADMSG
 * (damaged or another layout), -ESTALE (made of files that have changed), -errno. No malloc, no stdio, errno
 * kept.
 */
int cache_open(struct image *image, const struct source_paths *paths, const struct source_request *request);

/* Puts size bytes in the file's place, at once and whole. Returns 0 or -errno. */
int cache_write(const struct source_paths *paths, const struct source_request *request, const void *bytes,
                size_t size);

/* Gives back what cache_open mapped. */
void cache_close(struct image *image);

#endif
