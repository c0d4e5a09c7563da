/*
 * What the command says: complaints on standard error in one form, colour where a terminal shows it,
 * and numbers as people read them.
 */
#ifndef GUSSET_TOOL_OUTPUT_H
#define GUSSET_TOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum output_style { OUTPUT_PLAIN, OUTPUT_BOLD, OUTPUT_DIM, OUTPUT_GOOD, OUTPUT_BAD, OUTPUT_DOUBTFUL };

/* "auto", "always" or "never"; false for another word. auto: on a terminal, unless $NO_COLOR is set. */
bool output_set_color(const char *when);

/* From now on "auto" means what it means for this stream: what is gathered in memory goes there in the end.
 */
void output_fix_color(FILE *to);

/* The escape sequence that begins a style (OUTPUT_PLAIN ends it), "" where there is no colour. Static. */
const char *output_style(FILE *to, enum output_style style);

/* "gusset: …" on standard error. */
void output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void output_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on they go there instead, one without its end of line; cut where it is longer. */
enum { OUTPUT_SENTENCE = 1024 };
void output_divert(void (*to)(enum output_style style, const char *sentence));

/* The same, then the end with status 125; for exhausted memory only. */
void output_die(const char *sentence) __attribute__((noreturn));

enum { OUTPUT_NUMBER = 32 };

/*
 * "480 µs", "12 ms", "1.3 s", "2 m 5 s", "3 h 20 m". Writes to text, which has OUTPUT_NUMBER bytes;
 * returns it.
 */
const char *output_duration(uint64_t us, char *text);

/* Local time, "2026-11-21 14:55:02.120"; and as ISO 8601 in UTC with a Z. OUTPUT_NUMBER bytes; return text.
 */
const char *output_time(uint64_t unix_ms, char *text);
const char *output_time_utc(uint64_t unix_ms, char *text);

/* Makes text fit for a terminal: control characters become '?'. Returns text. */
char *output_clean(char *text);

#endif
