#include "sim/past.h"

#include <errno.h>

#include "sim/queue.h"

enum event_kind { OPENED, MADE, HEDGED, CLOSED };

static int put(struct queue *queue, uint64_t at_us, enum event_kind kind, uint32_t who)
{
    return queue_put(queue, (struct queue_event){.at_us = at_us, .kind = kind, .who = who});
}

static int put_attempt(struct queue *queue, const struct trace_line *line, uint32_t who)
{
    int result = 0;

    if (!trace_is_refusal(line))
        result = put(queue, line->began_us, line->is_hedge ? HEDGED : MADE, who);
    if (result == 0 && line->hedged_us)
        result = put(queue, line->hedged_us, HEDGED, who);
    return result;
}

static int put_call(struct queue *queue, const struct trace_call *call, uint32_t who)
{
    int result = put(queue, call->lines[0].opened_us, OPENED, who);

    for (uint32_t i = 0; result == 0 && i < call->line_count; i++)
        result = put_attempt(queue, &call->lines[i], who);
    return result < 0 ? result : put(queue, call->ended_us, CLOSED, who);
}

static int happen(const struct trace_call *call, const struct queue_event *event, struct result *result,
                  struct past_count *count)
{
    switch ((enum event_kind)event->kind) {
    case OPENED:
        result->under_way++;
        count->calls++;
        return 0;
    case MADE:
    case HEDGED:
        count->attempts++;
        count->hedged += event->kind == HEDGED;
        result_attempt(result, event->at_us, &(struct result_attempt){.is_hedge = event->kind == HEDGED});
        return 0;
    case CLOSED:
        result->under_way--;
        count->good += call->was_good;
        count->refused += call->was_refused;
        return result_call(result, event->at_us,
                           &(struct result_call){.is_good = call->was_good,
                                                 .is_refused = call->was_refused,
                                                 .is_rescued = call->was_good && call->line_count > 1,
                                                 .took_us = event->at_us - call->lines[0].opened_us});
    }
    return 0;
}

int past_tell(const struct trace_call *calls, uint32_t call_count, struct result *result,
              struct past_count *hosts)
{
    struct queue queue = {0};
    struct queue_event event;
    int error = 0;

    for (uint32_t who = 0; error == 0 && who < call_count; who++)
        error = put_call(&queue, &calls[who], who);
    while (error == 0 && queue_take(&queue, &event)) {
        const struct trace_call *call = &calls[event.who];
        result_pass(result, event.at_us);
        error = happen(call, &event, result, &hosts[call->lines[0].host]);
    }
    queue_clear(&queue);
    return error;
}
