#include "tool/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool/sign.h"
#include "tool/tool.h"

static enum { AUTO, ALWAYS, NEVER } color = AUTO;

bool output_set_color(const char *when)
{
    if (strcmp(when, "auto") == 0)
        color = AUTO;
    else if (strcmp(when, "always") == 0)
        color = ALWAYS;
    else if (strcmp(when, "never") == 0)
        color = NEVER;
    else
        return false;
    return true;
}

static bool is_colored(FILE *to)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

    if (color != AUTO)
        return color == ALWAYS;
    return !(no && *no) && terminal && strcmp(terminal, "dumb") != 0 && isatty(fileno(to));
}

void output_fix_color(FILE *to)
{
    color = is_colored(to) ? ALWAYS : NEVER;
}

const char *output_style(FILE *to, enum output_style style)
{
    static const char *const sequences[] = {
        [OUTPUT_PLAIN] = "\033[0m", [OUTPUT_BOLD] = "\033[1m", [OUTPUT_DIM] = "\033[2m",
        [OUTPUT_GOOD] = "\033[32m", [OUTPUT_BAD] = "\033[31m", [OUTPUT_DOUBTFUL] = "\033[33m"};
    return is_colored(to) ? sequences[style] : "";
}

static void (*diverted)(enum output_style style, const char *sentence);

void output_divert(void (*to)(enum output_style style, const char *sentence))
{
    diverted = to;
}

static void complain(enum output_style style, const char *kind, const char *format, va_list arguments)
{
    char sentence[OUTPUT_SENTENCE];

    if (diverted) {
        vsnprintf(sentence, sizeof sentence, format, arguments);
        diverted(style, sentence);
        return;
    }
    fflush(stdout);
    fprintf(stderr, "%sgusset: %s%s", output_style(stderr, style), kind, output_style(stderr, OUTPUT_PLAIN));
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void output_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(OUTPUT_BAD, "", format, arguments);
    va_end(arguments);
}

void output_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(OUTPUT_DOUBTFUL, "warning: ", format, arguments);
    va_end(arguments);
}

void output_die(const char *sentence)
{
    output_error("%s", sentence);
    exit(TOOL_FAILED);
}

const char *output_duration(uint64_t us, char *text)
{
    uint64_t ms = us / 1000, s = ms / 1000;

    if (us < 1000)
        snprintf(text, OUTPUT_NUMBER, "%u %ss", (unsigned)us, sign_of("µ"));
    else if (us < 10000)
        snprintf(text, OUTPUT_NUMBER, "%u.%u ms", (unsigned)ms, (unsigned)(us / 100 % 10));
    else if (ms < 1000)
        snprintf(text, OUTPUT_NUMBER, "%u ms", (unsigned)ms);
    else if (s < 100 && ms % 1000 < 100)
        snprintf(text, OUTPUT_NUMBER, "%u s", (unsigned)s);
    else if (s < 100)
        snprintf(text, OUTPUT_NUMBER, "%u.%u s", (unsigned)s, (unsigned)(ms / 100 % 10));
    else if (s < 3600)
        snprintf(text, OUTPUT_NUMBER, "%u m %u s", (unsigned)(s / 60), (unsigned)(s % 60));
    else
        snprintf(text, OUTPUT_NUMBER, "%llu h %u m", (unsigned long long)(s / 3600), (unsigned)(s / 60 % 60));
    return text;
}

static const char *print_time(uint64_t unix_ms, const char *format, bool is_utc, char *text)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char whole[OUTPUT_NUMBER];

    if (!(is_utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)) ||
        strftime(whole, sizeof whole - 5, format, &parts) == 0)
        whole[0] = '\0';
    snprintf(text, OUTPUT_NUMBER, "%.26s.%03u%s", whole, (unsigned)(unix_ms % 1000), is_utc ? "Z" : "");
    return text;
}

const char *output_time(uint64_t unix_ms, char *text)
{
    return print_time(unix_ms, "%Y-%m-%d %H:%M:%S", false, text);
}

const char *output_time_utc(uint64_t unix_ms, char *text)
{
    return print_time(unix_ms, "%Y-%m-%dT%H:%M:%S", true, text);
}

char *output_clean(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return text;
}
