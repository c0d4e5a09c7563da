/* A page that is drawn again and again at the same place of a terminal, as top does: without flicker, and as
 * much of it as there is room for. */
#ifndef GUSSET_TOOL_SCREEN_H
#define GUSSET_TOOL_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of the terminal that the stream is; 0 where it is none. */
unsigned screen_columns(FILE *to);

/* Draws the page in place of the one before. Returns false when the terminal is gone. */
bool screen_draw(const char *page);

/* Waits, less when the terminal's size changes. */
void screen_pause(uint32_t ms);

#endif
