/* What the engine answers when a call asks to go, and when an attempt of it has ended. */
#ifndef GUSSET_CORE_VERDICT_H
#define GUSSET_CORE_VERDICT_H

#include <stdint.h>

enum verdict_kind {
    VERDICT_GO,      /* admitted: make the attempt */
    VERDICT_WAIT,    /* admitted after wait_ms: wait, then make the attempt without asking again */
    VERDICT_LATER,   /* not admitted yet: wait for wait_ms, then ask again */
    VERDICT_REFUSE,  /* not admitted; wait_ms says when it is worth trying again, 0: unknown */
    VERDICT_STOP,    /* the outcome is the program's: hand it over */
    VERDICT_REPLACE, /* keep the outcome from the program, and give it another reply; the call is over */
    VERDICT_AGAIN    /* keep the outcome from the program; admit again after wait_ms */
};

enum verdict_reason {
    VERDICT_NONE = 0,
    VERDICT_CIRCUIT_OPEN,   /* refused */
    VERDICT_LIMITED,        /* refused */
    VERDICT_CROWDED,        /* refused: the bulkhead is full */
    VERDICT_SUCCEEDED,      /* stopped: nothing to mend */
    VERDICT_NOT_RETRYABLE,  /* stopped: the rule does not repeat this outcome */
    VERDICT_NOT_REPEATABLE, /* stopped: it may have happened, or cannot be sent twice */
    VERDICT_EXHAUSTED,      /* stopped: no tries left */
    VERDICT_BUDGET,         /* stopped: the host's retry budget is spent */
    VERDICT_DEADLINE,       /* stopped: the wait would pass the call's deadline; refused: the run's is over */
    VERDICT_RETRY,          /* again */
    VERDICT_RACED,          /* again, by the second attempt that is under way already (gate/race) */
    VERDICT_REASONS
};

struct verdict {
    enum verdict_kind kind;
    enum verdict_reason reason;
    uint32_t wait_ms;
};

static inline struct verdict verdict_stop(enum verdict_reason reason)
{
    return (struct verdict){.kind = VERDICT_STOP, .reason = reason};
}

#endif
