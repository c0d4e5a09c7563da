#include "timer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static void put(struct timers *timers, struct timer *timer, size_t place)
{
    timers->heap[place - 1] = timer;
    timer->place = place;
}

static void sift_up(struct timers *timers, struct timer *timer, size_t place)
{
    while (place > 1 && timers->heap[place / 2 - 1]->due_ns > timer->due_ns) {
        put(timers, timers->heap[place / 2 - 1], place);
        place /= 2;
    }
    put(timers, timer, place);
}

static void sift_down(struct timers *timers, struct timer *timer, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > timers->count)
            break;
        if (child < timers->count && timers->heap[child]->due_ns < timers->heap[child - 1]->due_ns)
            child++;
        if (timers->heap[child - 1]->due_ns >= timer->due_ns)
            break;
        put(timers, timers->heap[child - 1], place);
        place = child;
    }
    put(timers, timer, place);
}

static void make_room(struct timers *timers)
{
    if (timers->count < timers->room)
        return;
    size_t room = timers->room ? timers->room * 2 : 256;
    struct timer **heap = realloc(timers->heap, room * sizeof *heap);
    if (!heap) {
        fprintf(stderr, "upstream: out of memory for %zu timers, ending\n", room);
        exit(1);
    }
    timers->heap = heap;
    timers->room = room;
}

void timer_set(struct timers *timers, struct timer *timer, uint64_t due_ns)
{
    timer_cancel(timers, timer);
    make_room(timers);
    timer->due_ns = due_ns;
    timers->count++;
    sift_up(timers, timer, timers->count);
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    if (place == 0)
        return;
    timer->place = 0;
    struct timer *last = timers->heap[timers->count - 1];
    timers->count--;
    if (last == timer)
        return;
    if (last->due_ns < timer->due_ns)
        sift_up(timers, last, place);
    else
        sift_down(timers, last, place);
}

int timer_wait_ms(const struct timers *timers, uint64_t now_ns)
{
    if (timers->count == 0)
        return -1;
    uint64_t due_ns = timers->heap[0]->due_ns;
    if (due_ns <= now_ns)
        return 0;
    uint64_t wait_ms = (due_ns - now_ns + 999999) / 1000000;
    return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

void timer_fire_due(struct timers *timers, uint64_t now_ns)
{
    while (timers->count && timers->heap[0]->due_ns <= now_ns) {
        struct timer *timer = timers->heap[0];
        timer_cancel(timers, timer);
        timer->fire(timer);
    }
}

void timer_clear(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}
