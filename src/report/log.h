/*
 * The log: a line an event, built on the stack and written with one write(2), as logfmt or JSON. Off
 * unless asked for, because the program's standard error is the program's. No stdio, no allocation, no
 * descriptor is kept: a file is opened and closed for each line (lines are rare), standard error is
 * written only while descriptor 2 is still what it was at the start.
 */
#ifndef GUSSET_REPORT_LOG_H
#define GUSSET_REPORT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_target {
    enum log_level level; /* the most talkative level that is written */
    enum log_format format;
    char path[256]; /* "": standard error; "syslog"; else an absolute path */
};

/* Whether the text names a target: "stderr", "syslog", or an absolute path that is not too long. */
bool log_is_target(const char *text);

/*
 * Remembers what descriptor 2 is. The library does it when the program starts: later the program may
 * have closed it, and a data file of its own may bear the number.
 */
void log_remember_stderr(void);

/* Where lines go from now on; one thread at a time. Others may be writing lines. */
void log_open(const struct log_target *target);

bool log_wants(enum log_level level);

/* A line under construction: fields are appended, log_end writes it. What does not fit is cut, never the
 * newline. */
struct log_line {
    uint16_t length;
    bool is_json;
    enum log_level level;
    char text[1024];
};

/* Begins a line: time, level, program, pid, event name (a word) and a sentence for people. */
void log_begin(struct log_line *line, enum log_level level, const char *event, const char *sentence);
void log_text(struct log_line *line, const char *name, const char *value);
void log_number(struct log_line *line, const char *name, int64_t value);
void log_end(struct log_line *line);

/* A line of JSON for another file than the log, with nothing before its fields, whatever the log's level. */
void log_begin_bare(struct log_line *line);
void log_write(struct log_line *line, const char *path);

/* A whole line without further fields; for gusset's own troubles. errno is kept. */
void log_say(enum log_level level, const char *event, const char *sentence);

#endif
