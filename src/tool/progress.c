#include "tool/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "tool/screen.h"

enum { SOON_US = 500000, AGAIN_US = 100000, LINE_MOST = 256 };

/* The machine's own: sys/clock stands still, or runs ahead, while something is simulated. */
static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void progress_begin(struct progress *progress, bool is_wanted)
{
    *progress =
        (struct progress){.is_wanted = is_wanted && screen_columns(stderr), .due_us = now_us() + SOON_US};
}

/* A line that wraps could not be erased. */
static void draw(const char *text)
{
    unsigned columns = screen_columns(stderr);

    fprintf(stderr, "\r%.*s\033[K", columns ? (int)columns - 1 : 0, text);
}

void progress_tell(struct progress *progress, const char *format, ...)
{
    char text[LINE_MOST];
    va_list arguments;

    if (!progress->is_wanted || now_us() < progress->due_us)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    draw(text);
    progress->is_shown = true;
    progress->due_us = now_us() + AGAIN_US;
}

void progress_erase(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
