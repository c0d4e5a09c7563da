#include "tool/grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool/sign.h"

enum { GAP = 2, TEXT_LEAST = 8 };

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

/* ---- where the page is narrow ---- */

static unsigned total(const struct grid *grid, const unsigned widths[GRID_COLUMNS])
{
    unsigned sum = 0;

    for (unsigned i = 0; i < grid->width; i++)
        sum += widths[i] ? widths[i] + GAP : 0;
    return sum - GAP;
}

/* The column that can best be spared of those that are left; -1 when none can. */
static int sparest(const struct grid *grid, const unsigned widths[GRID_COLUMNS])
{
    int found = -1;

    for (unsigned i = 0; i < grid->width; i++)
        if (widths[i] && grid->spare[i] && (found < 0 || grid->spare[i] > grid->spare[found]))
            found = (int)i;
    return found;
}

static int widest_text(const struct grid *grid, const unsigned widths[GRID_COLUMNS])
{
    int found = -1;

    for (unsigned i = 0; i < grid->width; i++)
        if (!grid->columns[i].is_number && widths[i] > TEXT_LEAST && (found < 0 || widths[i] > widths[found]))
            found = (int)i;
    return found;
}

/* A column of width 0 is left out. */
static void fit(const struct grid *grid, unsigned widths[GRID_COLUMNS])
{
    int column;

    while (grid->spare && total(grid, widths) > grid->most && (column = sparest(grid, widths)) >= 0)
        widths[column] = 0;
    while (total(grid, widths) > grid->most && (column = widest_text(grid, widths)) >= 0)
        widths[column]--;
}

/* ---- printing ---- */

/* The first columns of the text, and an ellipsis. */
static void print_cut(FILE *to, const char *text, unsigned width)
{
    for (unsigned used = 0; *text && used + 1 < width; used++)
        do
            fputc(*text++, to);
        while (((unsigned char)*text & 0xc0) == 0x80);
    fputs(sign_of("…"), to);
}

static void print_cell(const struct grid *grid, FILE *to, unsigned column, const struct grid_cell *cell,
                       unsigned width, bool is_last)
{
    unsigned own = width_of(cell->text), blank = own < width ? width - own : 0;
    bool is_number = grid->columns[column].is_number;

    fprintf(to, "%*s%s", is_number ? (int)blank : 0, "", cell->style ? output_style(to, cell->style) : "");
    if (own > width)
        print_cut(to, cell->text, width);
    else
        fputs(cell->text, to);
    fputs(cell->style ? output_style(to, OUTPUT_PLAIN) : "", to);
    if (is_last)
        fputc('\n', to);
    else
        fprintf(to, "%*s", (int)(is_number ? 0 : blank) + GAP, "");
}

static void print_row(const struct grid *grid, FILE *to, const struct grid_cell *row,
                      const unsigned widths[GRID_COLUMNS])
{
    unsigned last = grid->width - 1;

    while (last && !widths[last])
        last--;
    for (unsigned i = 0; i <= last; i++)
        if (widths[i])
            print_cell(grid, to, i, &row[i], widths[i], i == last);
}

void grid_print(const struct grid *grid, FILE *to)
{
    unsigned widths[GRID_COLUMNS];
    struct grid_cell titles[GRID_COLUMNS];

    measure(grid, widths);
    if (grid->most)
        fit(grid, widths);
    for (unsigned i = 0; i < grid->width; i++)
        titles[i] = (struct grid_cell){(char *)(uintptr_t)grid->columns[i].title, OUTPUT_BOLD};
    print_row(grid, to, titles, widths);
    for (unsigned i = 0; i + grid->width <= grid->count; i += grid->width)
        print_row(grid, to, &grid->cells[i], widths);
}
