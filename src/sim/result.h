/* What came of a simulated run: totals, and a series of equal slices of time. */
#ifndef GUSSET_SIM_RESULT_H
#define GUSSET_SIM_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/breaker.h"

enum { RESULT_SLICES = 60 };

struct result_slice {
    uint64_t attempts; /* that arrived at the server */
    uint64_t hedged;   /* of these, beside another */
    uint64_t good;     /* calls that ended well */
    uint64_t bad;      /* calls that failed or were refused */
    double under_way;  /* calls, on average */
    double circuit[3]; /* shares of the time, by enum breaker_state */
};

struct result {
    uint64_t calls, attempts;
    uint64_t hedged;    /* attempts beside another (`hedge`) */
    uint64_t hedge_won; /* calls whose reply was such a one's */
    uint64_t good;
    uint64_t rescued;           /* good, after an attempt that was not */
    uint64_t refused;           /* by the circuit, a limit */
    uint64_t failed;            /* after an attempt */
    uint64_t opened;            /* times that the circuit did */
    uint64_t troubled_attempts; /* those that arrived in the trouble */
    uint64_t last_bad_us;       /* when the last call that was not good ended; 0: all were */
    uint64_t slice_us;
    struct result_slice slices[RESULT_SLICES];
    /* Kept while it is being filled. */
    uint64_t *waits_us; /* of each call that was not refused at once */
    size_t waits, room;
    uint64_t now_us;
    uint32_t under_way;
    enum breaker_state circuit;
};

void result_init(struct result *result, uint64_t duration_us);
void result_clear(struct result *result);

/* Time has passed, with so many calls under way and this circuit since the last time. */
void result_pass(struct result *result, uint64_t us);

struct result_attempt {
    bool is_troubled; /* it arrives in the trouble */
    bool is_hedge;
};
void result_attempt(struct result *result, uint64_t us, const struct result_attempt *attempt);

struct result_call {
    bool is_good, is_refused; /* neither: it failed */
    bool is_rescued;
    bool is_won; /* by a second attempt */
    uint64_t took_us;
};

/* A call ended at that time. Returns 0 or -ENOMEM. */
int result_call(struct result *result, uint64_t us, const struct result_call *call);

/* How long calls took that were not refused, 0 <= share <= 1; sorts. 0 where there were none. */
uint64_t result_wait_us(struct result *result, double share);

#endif
