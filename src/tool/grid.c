#include "tool/grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2 };

void grid_init(struct grid *grid, const struct grid_column *columns, unsigned width)
{
    *grid = (struct grid){.columns = columns, .width = width};
}

void grid_clear(struct grid *grid)
{
    for (unsigned i = 0; i < grid->count; i++)
        free(grid->cells[i].text);
    free(grid->cells);
    *grid = (struct grid){0};
}

void grid_add(struct grid *grid, enum output_style style, const char *format, ...)
{
    struct grid_cell *cells = realloc(grid->cells, (grid->count + 1) * sizeof *cells);
    char text[512];
    va_list arguments;

    if (!cells)
        output_die("out of memory");
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    grid->cells = cells;
    cells[grid->count] = (struct grid_cell){strdup(output_clean(text)), style};
    if (!cells[grid->count++].text)
        output_die("out of memory");
}

/* Columns on a terminal: UTF-8 continuation bytes take none. */
static unsigned width_of(const char *text)
{
    unsigned width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void measure(const struct grid *grid, unsigned widths[GRID_COLUMNS])
{
    for (unsigned i = 0; i < grid->width; i++)
        widths[i] = width_of(grid->columns[i].title);
    for (unsigned i = 0; i < grid->count; i++) {
        unsigned width = width_of(grid->cells[i].text);
        if (width > widths[i % grid->width])
            widths[i % grid->width] = width;
    }
}

static void print_cell(const struct grid *grid, FILE *to, unsigned column, const struct grid_cell *cell,
                       unsigned width)
{
    unsigned blank = width - width_of(cell->text);
    bool is_last = column + 1 == grid->width, is_number = grid->columns[column].is_number;

    fprintf(to, "%*s%s%s%s", is_number ? (int)blank : 0, "", cell->style ? output_style(to, cell->style) : "",
            cell->text, cell->style ? output_style(to, OUTPUT_PLAIN) : "");
    if (is_last)
        fputc('\n', to);
    else
        fprintf(to, "%*s", (int)(is_number ? 0 : blank) + GAP, "");
}

void grid_print(const struct grid *grid, FILE *to)
{
    unsigned widths[GRID_COLUMNS];

    measure(grid, widths);
    for (unsigned i = 0; i < grid->width; i++) {
        const struct grid_cell title = {(char *)(uintptr_t)grid->columns[i].title, OUTPUT_BOLD};
        print_cell(grid, to, i, &title, widths[i]);
    }
    for (unsigned i = 0; i < grid->count; i++)
        print_cell(grid, to, i % grid->width, &grid->cells[i], widths[i % grid->width]);
}
