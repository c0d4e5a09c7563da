/*
 * A record of calls (report/record), gone through once more under other rules on the virtual clock. Calls
 * begin when they began. A call's first attempt ends as it did; any later one, or the first of a call that
 * was refused, ends as the attempt of the same host does that lies nearest in time.
 */
#ifndef GUSSET_SIM_REPLAY_H
#define GUSSET_SIM_REPLAY_H

#include "config/rules.h"
#include "core/outcome.h"
#include "core/place.h"
#include "sim/result.h"

struct replay_line { /* of the record: an attempt, or a refusal */
    uint64_t pid, call, opened_us, began_us, ended_us;
    uint32_t host; /* index */
    uint32_t method;
    uint32_t attempt;
    bool sent, idempotent, is_elsewhere;
    int64_t retry_after_ms; /* -1: none */
    struct outcome outcome;
};

struct replay_trace {
    struct place *hosts;
    uint32_t host_count;
    struct replay_line *lines; /* in any order; replay_prepare sorts them */
    size_t line_count;
};

/* What was, and what would have been. */
struct replay_count {
    uint64_t calls;
    uint64_t unmatched; /* calls that no rule means: as they were */
    uint64_t attempts, good, refused;
    uint64_t new_attempts, new_good, new_refused;
    uint64_t saved; /* calls that did not end well, and would have */
    uint64_t lost;  /* the other way round */
};

struct replay_outcome {
    struct replay_count *hosts; /* one each */
    struct result before, after;
};

/* Puts the lines in order, call by call; their times count from the first from then on. */
void replay_prepare(struct replay_trace *trace);

/*
 * Goes through the trace (prepared) under the rules. replay_clear ends *outcome. Returns 0, or -errno.
 */
int replay_run(const struct replay_trace *trace, const struct rules *rules, struct replay_outcome *outcome);
void replay_clear(struct replay_outcome *outcome);

#endif
