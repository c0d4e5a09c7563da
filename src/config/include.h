/*
 * The text of a configuration with its @include directives resolved here, so that libconfig never opens a
 * file: libconfig 1.5 reads them from the working directory and ends the process on a folder. The lexer
 * is libconfig's own, as far as comments, strings and directives go.
 */
#ifndef GUSSET_CONFIG_INCLUDE_H
#define GUSSET_CONFIG_INCLUDE_H

#include "config/fault.h"
#include "config/model.h"

enum { INCLUDE_DEPTH_MOST = 10, INCLUDE_FILES_MOST = 1000, INCLUDE_NESTING_MOST = 64 };

struct include_text {    /* zero is empty */
    struct table text;   /* char, ends with a NUL that is not counted */
    struct table pieces; /* which lines come from where */
};

/*
 * Reads path and all that it includes; each file is noted as a source of the model. Returns 0, or -errno
 * after a fault was added.
 */
int include_read(struct include_text *out, const char *path, struct model *model, struct fault_list *faults);

/* Where a line of the whole text (from 1) stands: index of the model's source and line there. */
void include_locate(const struct include_text *text, uint32_t line, uint32_t *source, uint32_t *local);

void include_clear(struct include_text *text);

#endif
