/*
 * A table on a page: cells are collected, then printed in columns as wide as they need to be. Where the page
 * is narrower, columns are left out, those first that can best be spared, and then texts are cut.
 */
#ifndef GUSSET_TOOL_GRID_H
#define GUSSET_TOOL_GRID_H

#include <stdio.h>

#include "tool/output.h"

enum { GRID_COLUMNS = 16 };

struct grid_column {
    const char *title;
    bool is_number; /* to the right */
};

struct grid {
    const struct grid_column *columns;
    unsigned width; /* columns */
    unsigned most;  /* terminal columns of the page; 0: as many as it takes */
    const unsigned char
        *spare;     /* where most is set, for each column: the higher, the sooner left out; 0: never */
    unsigned count; /* cells */
    struct grid_cell {
        char *text;
        enum output_style style;
    } * cells;
};

void grid_init(struct grid *grid, const struct grid_column *columns, unsigned width);
void grid_clear(struct grid *grid);

/* The next cell, from left to right; control characters in it become '?'. */
void grid_add(struct grid *grid, enum output_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void grid_print(const struct grid *grid, FILE *to);

#endif
