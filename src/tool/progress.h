/*
 * How far long work has come, for who waits before a terminal: a line on standard error, drawn anew in its
 * place and erased at the end. Nothing where standard error is none, or when the work is soon done.
 */
#ifndef GUSSET_TOOL_PROGRESS_H
#define GUSSET_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress { /* zero shows nothing */
    bool is_wanted, is_shown;
    uint64_t due_us; /* when it is drawn next */
};

/* The work begins. A program that reads the output (is_wanted false) is told nothing. */
void progress_begin(struct progress *progress, bool is_wanted);

/* Cheap, so that it may be called often. */
void progress_tell(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is printed next finds an empty line. At the end of the work, or of a part of it. */
void progress_erase(struct progress *progress);

#endif
