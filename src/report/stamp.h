/*
 * Numbers and times as log lines have them, without stdio and without libc's calendar: the local time would
 * take tzset, its locks and malloc, so all is UTC.
 */
#ifndef GUSSET_REPORT_STAMP_H
#define GUSSET_REPORT_STAMP_H

#include <stdint.h>

enum { STAMP_DIGITS_MOST = 24, STAMP_UTC_MOST = 48, STAMP_SYSLOG_MOST = 24 };

/* Decimal, at least width digits (< STAMP_DIGITS_MOST). Returns where it begins in text, which ends there
 * with a NUL. */
const char *stamp_digits(char text[STAMP_DIGITS_MOST], uint64_t number, unsigned width);

/* "2026-11-21T14:00:00.123Z"; years beyond 9999 (a broken clock) take more room than that, and have it. */
void stamp_utc(char text[STAMP_UTC_MOST], uint64_t unix_ms);

/* "Nov 21 14:00:00", as RFC 3164 has it. */
void stamp_syslog(char text[STAMP_SYSLOG_MOST], uint64_t unix_ms);

#endif
