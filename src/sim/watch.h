/* Who waits for a simulation is told now and then how far it has come. */
#ifndef GUSSET_SIM_WATCH_H
#define GUSSET_SIM_WATCH_H

#include <stdint.h>

enum { WATCH_EVENTS = 8192 }; /* between two looks: some milliseconds of work */

struct watch {
    void (*tell)(void *who, uint64_t done_us, uint64_t all_us); /* of the simulated time */
    void *who;
};

/* To be called after each event, of which there have been so many; NULL: nobody waits. */
static inline void watch_event(const struct watch *watch, uint64_t events, uint64_t done_us, uint64_t all_us)
{
    if (watch && events % WATCH_EVENTS == 0)
        watch->tell(watch->who, done_us, all_us);
}

#endif
