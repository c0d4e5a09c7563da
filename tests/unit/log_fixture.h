/* A log file of the test's own, at a time of the test's own. */
#ifndef GUSSET_TESTS_LOG_FIXTURE_H
#define GUSSET_TESTS_LOG_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "report/log.h"

/* The library's clock ends here: a time of the test's, or the kernel's. */
static _Atomic int64_t pretended_ms = -1;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int64_t ms = pretended_ms;
    if (ms < 0 || clock != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec = (time_t)(ms / 1000);
    now->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

static char path[64];

static inline int path_make(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/gusset-log-%d", getpid());
    unlink(path);
    pretended_ms = 1795269600123; /* 2026-11-21T14:00:00.123Z */
    return 0;
}

static inline int path_remove(void **state)
{
    (void)state;
    pretended_ms = -1;
    unlink(path);
    return 0;
}

static inline void open_log(enum log_level level, enum log_format format, const char *to)
{
    struct log_target target = {.level = level, .format = format};
    strcpy(target.path, to);
    log_remember_stderr(); /* as the library does when its program starts */
    log_open(&target);
}

/* What lies in the file; it is emptied. */
static inline const char *written(void)
{
    static char text[8192];
    const int fd = open(path, O_RDONLY);
    const ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    if (fd >= 0)
        close(fd);
    unlink(path);
    return text;
}

/* "program=… pid=…", as every line has it. */
static inline const char *head(const char *format)
{
    static char text[256];
    snprintf(text, sizeof text, format, program_invocation_short_name, getpid());
    return text;
}

static inline const char *line_with(const char *name, const char *value)
{
    struct log_line line;
    log_begin(&line, LOG_ERROR, "x", "y");
    log_text(&line, name, value);
    log_end(&line);
    return written();
}

/* The last field of a line with that value is written as expected. */
static inline void assert_field(const char *value, const char *expected)
{
    const char *line = line_with("v", value);
    const bool is_json = line[0] == '{';
    char end[512];
    snprintf(end, sizeof end, is_json ? ",\"v\":%s}\n" : " v=%s\n", expected);
    assert_true(strlen(line) > strlen(end));
    assert_string_equal(line + strlen(line) - strlen(end), end);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, path_make, path_remove)

#endif
