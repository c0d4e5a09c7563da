#include "sim/trace.h"

#include <errno.h>
#include <stdlib.h>

enum { FARTHER_US = 1000000 };

bool trace_is_refusal(const struct trace_line *line)
{
    return line->outcome.type == OUTCOME_CIRCUIT_OPEN || line->outcome.type == OUTCOME_LIMITED;
}

bool trace_is_same_call(const struct trace_line *a, const struct trace_line *b)
{
    return a->pid == b->pid && a->call == b->call && a->opened_us == b->opened_us;
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_lines(const void *left, const void *right)
{
    const struct trace_line *a = left, *b = right;
    const int orders[] = {order(a->opened_us, b->opened_us), order(a->pid, b->pid), order(a->call, b->call),
                          order(a->attempt, b->attempt)};

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (orders[i])
            return orders[i];
    return 0;
}

static int compare_attempts(const void *left, const void *right)
{
    const struct trace_line *a = *(const struct trace_line *const *)left;
    const struct trace_line *b = *(const struct trace_line *const *)right;

    return a->host != b->host ? order(a->host, b->host) : order(a->began_us, b->began_us);
}

static uint64_t since(uint64_t us, uint64_t first_us)
{
    return us > first_us ? us - first_us : 0;
}

/* The second attempt beside this one, which went on as the call's next. */
static bool has_line_of_its_own(const struct trace_line *line, const struct trace_line *next)
{
    return line->hedged_us && trace_is_same_call(line, next) && next->began_us == line->hedged_us;
}

void trace_order(struct trace *trace)
{
    if (trace->line_count == 0)
        return;
    qsort(trace->lines, trace->line_count, sizeof *trace->lines, compare_lines);
    uint64_t first_us = trace->lines[0].opened_us;
    for (size_t i = 0; i < trace->line_count; i++) {
        struct trace_line *line = &trace->lines[i];
        line->opened_us = since(line->opened_us, first_us);
        line->began_us = since(line->began_us, first_us);
        line->ended_us = since(line->ended_us, first_us);
        if (line->hedged_us)
            line->hedged_us = since(line->hedged_us, first_us);
    }
    for (size_t i = 0; i + 1 < trace->line_count; i++)
        if (has_line_of_its_own(&trace->lines[i], &trace->lines[i + 1])) {
            trace->lines[i].hedged_us = 0;
            trace->lines[i + 1].is_hedge = true;
        }
}

struct trace_call *trace_calls(const struct trace *trace, uint32_t *count)
{
    struct trace_call *calls = calloc(trace->line_count, sizeof *calls);

    *count = 0;
    for (size_t i = 0, next; calls && i < trace->line_count; i = next) {
        struct trace_call *call = &calls[(*count)++];
        call->lines = &trace->lines[i];
        for (next = i; next < trace->line_count && trace_is_same_call(&trace->lines[i], &trace->lines[next]);
             next++)
            call->line_count++;
        const struct trace_line *last = &trace->lines[next - 1];
        call->was_good = last->outcome.type == OUTCOME_SUCCESS;
        call->was_refused = trace_is_refusal(last) && call->line_count == 1;
        call->ended_us = last->ended_us;
    }
    return calls;
}

/* ---- what a host was like ---- */

int trace_index_init(struct trace_index *index, const struct trace *trace)
{
    *index = (struct trace_index){.attempts = calloc(trace->line_count, sizeof(struct trace_line *)),
                                  .first = calloc(trace->host_count + 1, sizeof *index->first)};
    if (!index->attempts || !index->first)
        return -ENOMEM;
    for (size_t i = 0; i < trace->line_count; i++)
        if (!trace_is_refusal(&trace->lines[i]))
            index->attempts[index->count++] = &trace->lines[i];
    qsort(index->attempts, index->count, sizeof(struct trace_line *), compare_attempts);
    for (size_t i = 0, host = 0; host <= trace->host_count; host++) {
        while (i < index->count && index->attempts[i]->host < host)
            i++;
        index->first[host] = i;
    }
    return 0;
}

void trace_index_clear(struct trace_index *index)
{
    free(index->attempts);
    free(index->first);
    *index = (struct trace_index){.count = 0};
}

static uint64_t distance(const struct trace_line *line, uint64_t us)
{
    return line->began_us > us ? line->began_us - us : us - line->began_us;
}

/* The first of the attempts first..end that began then or later. */
static size_t find_since(const struct trace_index *index, size_t first, size_t end, uint64_t us)
{
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (index->attempts[middle]->began_us < us)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

unsigned trace_near(const struct trace_index *index, const struct trace_line *call, uint32_t attempt,
                    uint64_t us, const struct trace_line *near[TRACE_NEAR_MOST])
{
    size_t first = index->first[call->host], end = index->first[call->host + 1];
    size_t after = find_since(index, first, end, us), before = after;
    unsigned count = 0;

    while (count < TRACE_NEAR_MOST && (before > first || after < end)) {
        bool takes_before = before > first && (after == end || distance(index->attempts[before - 1], us) <
                                                                   distance(index->attempts[after], us));
        const struct trace_line *line = index->attempts[takes_before ? --before : after++];
        if (trace_is_same_call(line, call) && line->attempt < attempt)
            continue;
        if (count > 0 && distance(line, us) > distance(near[0], us) + FARTHER_US)
            break;
        near[count++] = line;
    }
    return count;
}
