/* The timeline as a picture: an SVG file that stands by itself. */
#ifndef GUSSET_TOOL_PICTURE_H
#define GUSSET_TOOL_PICTURE_H

#include "tool/timeline.h"

/* Writes the file, or says why not. Returns 0 or -1. */
int picture_save(const struct timeline *timeline, const char *path);

#endif
