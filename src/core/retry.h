/*
 * Again? After how long? The back-off follows Brooker, "Exponential Backoff And Jitter" (AWS
 * Architecture Blog, 2015) for full, equal and decorrelated jitter; the budget follows Finagle's and
 * Envoy's retry budgets: a share of the calls of the last seconds, with a floor for small programs.
 */
#ifndef GUSSET_CORE_RETRY_H
#define GUSSET_CORE_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/outcome.h"
#include "core/window.h"

enum retry_jitter {
    RETRY_JITTER_NONE,
    RETRY_JITTER_ADDITIVE,
    RETRY_JITTER_EQUAL,
    RETRY_JITTER_FULL,
    RETRY_JITTER_DECORRELATED
};

enum { RETRY_BUDGET_WINDOW_MS = 10000 };

struct retry_rule {
    uint32_t attempts;        /* tries in all, the first included; >= 1 */
    uint32_t base_ms;         /* back-off before the second try */
    uint32_t cap_ms;          /* no back-off is longer */
    uint32_t factor_milli;    /* each further one grows by this, in thousandths; >= 1000 */
    uint32_t jitter;          /* enum retry_jitter */
    uint32_t amount_bp;       /* additive jitter: up to this share more, in hundredths of a percent */
    uint32_t retry_after_ms;  /* honour Retry-After up to this; 0: ignore it */
    uint32_t budget_ratio_bp; /* retries allowed, as a share of calls, in hundredths of a percent */
    uint32_t budget_floor;    /* retries a second allowed whatever the share says */
    uint32_t methods;         /* bits of core/method.h that may be repeated after they were sent */
    uint32_t makes_key; /* 0 or 1: a request of another method gets an Idempotency-Key, and may be, too */
    uint32_t resumes;   /* 0 or 1: a body that broke off is continued */
    uint32_t hold_ms;   /* retry.wait: how long a non-blocking connect may hold the program; 0: not */
    struct outcome_set on;
    struct outcome_set never; /* wins over on */
};

/*
 * The back-off in milliseconds before try number next (2 for the first repetition). previous_ms is the
 * back-off before, 0 for none (decorrelated jitter grows from it); random32 is uniform. The result lies in
 *   none: d · additive: d..d(1+amount) · equal: d/2..d · full: 0..d · decorrelated: base..3*previous
 * with d = min(cap, base * factor^(next-2)), and never above cap.
 */
uint32_t retry_delay_ms(const struct retry_rule *rule, uint32_t next, uint32_t previous_ms,
                        uint32_t random32);

/*
 * The tries of a call that the program itself has made times in a row before, each time soon after it
 * failed: halved each time, rounded up, so that its retries and ours do not multiply.
 */
uint32_t retry_attempts(const struct retry_rule *rule, unsigned times);

/* Whether the outcome is one that the rule repeats: in on, and not in never. */
bool retry_wants(const struct retry_rule *rule, const struct outcome *outcome);

/* Whether one more retry fits the budget: window holds the calls (all) and retries (marked) of the last 10 s.
 */
bool retry_budget_allows(const struct retry_rule *rule, struct window_sum window);

/*
 * A Retry-After value (RFC 9110, 10.2.3): seconds, or an HTTP date in any of its three forms, against
 * now_unix (seconds). Returns milliseconds from now, 0 for a date that has passed, or -1 when the text is
 * neither; capped at a day so that it fits every later sum.
 */
int64_t retry_after_ms(const char *text, size_t length, int64_t now_unix);

/* An HTTP date (RFC 9110, 5.6.7) as seconds since 1970. False when it is none. */
bool retry_date(const char *text, size_t length, int64_t *unix_s);

#endif
