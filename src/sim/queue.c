#include "sim/queue.h"

#include <errno.h>
#include <stdlib.h>

static bool is_before(const struct queue_event *a, const struct queue_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static int make_room(struct queue *queue)
{
    if (queue->count < queue->room)
        return 0;
    size_t room = queue->room ? 2 * queue->room : 256;
    struct queue_event *heap = realloc(queue->heap, room * sizeof *heap);
    if (!heap)
        return -ENOMEM;
    queue->heap = heap;
    queue->room = room;
    return 0;
}

int queue_put(struct queue *queue, struct queue_event event)
{
    size_t at = queue->count;

    if (make_room(queue) < 0)
        return -ENOMEM;
    event.order = queue->next_order++;
    queue->count++;
    for (size_t parent; at > 0 && is_before(&event, &queue->heap[parent = (at - 1) / 2]); at = parent)
        queue->heap[at] = queue->heap[parent];
    queue->heap[at] = event;
    return 0;
}

bool queue_take(struct queue *queue, struct queue_event *event)
{
    size_t at = 0, child;

    if (queue->count == 0)
        return false;
    *event = queue->heap[0];
    struct queue_event last = queue->heap[--queue->count];
    while ((child = 2 * at + 1) < queue->count) {
        if (child + 1 < queue->count && is_before(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!is_before(&queue->heap[child], &last))
            break;
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    queue->heap[at] = last;
    return true;
}

void queue_clear(struct queue *queue)
{
    free(queue->heap);
    *queue = (struct queue){0};
}
