/* A record of calls (report/record) in memory, in order, and what a host was like at a time by it. */
#ifndef GUSSET_SIM_TRACE_H
#define GUSSET_SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/outcome.h"
#include "core/place.h"

struct trace_line { /* an attempt, or a refusal */
    uint64_t pid, call, opened_us, began_us, ended_us;
    uint64_t hedged_us; /* when a second attempt was made beside this one, which has no line; 0: none was */
    uint32_t host;      /* index */
    uint32_t method;
    uint32_t attempt;
    bool sent, idempotent, is_elsewhere;
    bool is_hedge;          /* it began beside the one before it, which failed */
    int64_t retry_after_ms; /* -1: none */
    struct outcome outcome;
};

struct trace {
    struct place *hosts;
    uint32_t host_count;
    struct trace_line *lines;
    size_t line_count;
};

/* Puts the lines in order, call by call; their times count from the first from then on. */
void trace_order(struct trace *trace);

bool trace_is_refusal(const struct trace_line *line);
bool trace_is_same_call(const struct trace_line *a, const struct trace_line *b);

/* A recorded call, as it was. */
struct trace_call {
    const struct trace_line *lines; /* of the trace, in the order of their attempts */
    uint32_t line_count;
    bool was_good, was_refused; /* neither: it failed */
    uint64_t ended_us;
};

/* The calls of a trace in order; *count is how many. Borrows the lines, the caller frees the rest. NULL: no
 * memory. */
struct trace_call *trace_calls(const struct trace *trace, uint32_t *count);

/* The attempts of each host by when they began. Borrows the lines. */
struct trace_index {
    const struct trace_line **attempts;
    size_t count;
    size_t *first; /* into attempts: those of a host begin here, and end where the next one's begin */
};

/* Returns 0 or -ENOMEM; trace_index_clear ends it in either case. */
int trace_index_init(struct trace_index *index, const struct trace *trace);
void trace_index_clear(struct trace_index *index);

enum { TRACE_NEAR_MOST = 8 };

/*
 * The attempts at the host of this call that lie nearest to a time, in this order, but for the call's own
 * before attempt number attempt: a few, and none that lies much farther than the nearest. One alone would be
 * no fair sample: where a program waits before it tries again, the nearest is always one that failed. Returns
 * how many.
 */
unsigned trace_near(const struct trace_index *index, const struct trace_line *call, uint32_t attempt,
                    uint64_t us, const struct trace_line *near[TRACE_NEAR_MOST]);

#endif
