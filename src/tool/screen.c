#include "tool/screen.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sys/clock.h"
#include "tool/sign.h"

static struct winsize size_of(FILE *to)
{
    struct winsize size = {0};

    if (ioctl(fileno(to), TIOCGWINSZ, &size) < 0)
        return (struct winsize){0};
    if (size.ws_col == 0) /* a terminal that does not say */
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    return size;
}

unsigned screen_columns(FILE *to)
{
    return size_of(to).ws_col;
}

/* An escape sequence of ours (ESC [ … letter) takes no room; UTF-8's continuation bytes take none either. */
static const char *put_line(const char *line, unsigned columns)
{
    bool is_escape = false;
    unsigned used = 0;

    for (; *line && *line != '\n'; line++) {
        bool is_more = ((unsigned char)*line & 0xc0) == 0x80;
        if (*line == '\033')
            is_escape = true;
        else if (!is_escape && !is_more)
            used++;
        if (is_escape || used <= columns)
            putchar(*line);
        if (is_escape && *line >= 'A' && *line != '[')
            is_escape = false;
    }
    return *line ? line + 1 : line;
}

bool screen_draw(const char *page)
{
    struct winsize size = size_of(stdout);

    fputs("\033[H", stdout);
    for (unsigned row = 1; *page; row++) {
        bool is_last = row + 1 >= size.ws_row && strchr(page, '\n') && strchr(page, '\n')[1];
        if (is_last) {
            printf("%s\033[K\n", sign_of("…"));
            break;
        }
        page = put_line(page, size.ws_col);
        fputs("\033[K\n", stdout);
    }
    fputs("\033[J", stdout);
    return fflush(stdout) == 0;
}

static void wake(int signal)
{
    (void)signal;
}

void screen_pause(uint32_t ms)
{
    struct sigaction action = {.sa_handler = wake};

    sigaction(SIGWINCH, &action, NULL);
    clock_sleep_ms(ms);
}
