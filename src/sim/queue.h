/* What will happen, in the order of time; of two at the same time, what was put in first. */
#ifndef GUSSET_SIM_QUEUE_H
#define GUSSET_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_event {
    uint64_t at_us;
    uint64_t order; /* the queue's */
    uint32_t kind;  /* the user's own */
    uint32_t who;
    uint64_t serial; /* what it belongs to: an event of something that is over is passed over */
};

struct queue { /* zero is an empty one */
    struct queue_event *heap;
    size_t count, room;
    uint64_t next_order;
};

/* Returns 0 or -ENOMEM. */
int queue_put(struct queue *queue, struct queue_event event);

/* The next event; false when there is none. */
bool queue_take(struct queue *queue, struct queue_event *event);

void queue_clear(struct queue *queue);

#endif
