/* Deadlines of many things at once, in a binary heap: setting and firing cost log n.
 * A timer lies inside the thing it wakes; time comes in as an argument. */
#ifndef TIMER_H
#define TIMER_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    uint64_t due_ns;
    size_t place; /* in the heap, counted from 1; 0: not set */
    void (*fire)(struct timer *timer);
};

struct timers {
    struct timer **heap; /* heap[place - 1] */
    size_t count;
    size_t room;
};

/* (Re)sets the timer to fire once, at due_ns or as soon after it as the loop comes by. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t due_ns);
void timer_cancel(struct timers *timers, struct timer *timer);

/* How long epoll may sleep, in ms rounded up, so that nothing fires early; -1: for ever. */
int timer_wait_ms(const struct timers *timers, uint64_t now_ns);

/* Fires all that is due at now_ns. A fired timer may set itself again. */
void timer_fire_due(struct timers *timers, uint64_t now_ns);

void timer_clear(struct timers *timers);

#endif
