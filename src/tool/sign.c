#include "tool/sign.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tool/utf8.h"

#define ELLIPSIS "…"

static const char *const signs[][2] = {
    {ELLIPSIS, "~"},
    {"µ",     "u"},
    {"→",    ">"},
    {"×",     "x"},
    {"·",     "-"},
    {"◐",    "?"},
    {"●",    "!"},
    {"┌",    "+"},
    {"─",    "-"},
    {"┐",    "+"},
    {"▁",    "."},
    {"▂",    "."},
    {"▃",    ":"},
    {"▄",    ":"},
    {"▅",    "="},
    {"▆",    "="},
    {"▇",    "#"},
    {"█",    "#"}
};

/*
 * As setlocale(3) finds LC_CTYPE. Where nobody says anything, as in a container, the terminal is nearly
 * always one that shows UTF-8; a locale that is set means what it says.
 */
static bool is_shown(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *locale = getenv(variables[i]);
        if (locale && *locale)
            return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
    }
    return true;
}

static const char *plain_of(const char *sign, size_t length)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strlen(signs[i][0]) == length && memcmp(signs[i][0], sign, length) == 0)
            return signs[i][1];
    return NULL;
}

const char *sign_of(const char *sign)
{
    const char *plain = is_shown() ? NULL : plain_of(sign, strlen(sign));
    return plain ? plain : sign;
}

void sign_print(FILE *to, const char *text)
{
    if (is_shown()) {
        fputs(text, to);
        return;
    }
    while (*text) {
        size_t length = utf8_length(text);
        bool is_ellipsis = strncmp(text, ELLIPSIS, strlen(ELLIPSIS)) == 0;
        const char *plain = is_ellipsis ? "..." : length > 1 ? plain_of(text, length) : NULL;
        if (plain)
            fputs(plain, to);
        else
            fwrite(text, 1, length ? length : 1, to);
        text += length ? length : 1;
    }
}
