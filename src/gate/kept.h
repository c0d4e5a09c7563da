/*
 * What is kept of a call, for others like it: connect(2) to where it has led before is opened, admitted and
 * ended by these few words, and has no record of its own unless it turns out to need one.
 *
 *     kept_open → attempt → kept_ended; or kept_call, gate_ended, gate_leave
 */
#ifndef GUSSET_GATE_KEPT_H
#define GUSSET_GATE_KEPT_H

#include "gate/gate.h"

struct kept {
    const struct rules_policy *policy;
    struct ready *ready; /* held from kept_open on, not before */
    struct layout_host *slot;
    uint64_t key;
    uint64_t control;
    struct slice budget_slice;
    struct slice outcome_slice;
    uint64_t total_us;  /* 0: no limit */
    uint32_t limit_ms;  /* on an attempt to connect; 0: none */
    uint32_t window_ms; /* of the breaker; 0: there is none */
    bool has_retries;
    char host[103]; /* last: what follows its NUL need not be copied */
};

/*
 * Of a call that was opened, and whose first attempt was admitted and has not failed. Returns how many bytes
 * are to be kept; 0 where the next call cannot be like it (it needs a token, is watched, has a longer name).
 */
size_t kept_of(struct kept *kept, const struct gate_call *call);

/* Opens the next one and admits its first attempt. False, and nothing held, where anything has changed. */
bool kept_open(struct kept *kept, uint64_t *opened_us);

/* It ended well at its first attempt and is over. False, and nothing done, where more than that is to be
 * told. */
bool kept_ended(struct kept *kept, uint64_t opened_us, uint64_t now_us);

/* Makes a record of one that is open; what it holds is the record's then. */
void kept_call(const struct kept *kept, uint64_t opened_us, struct gate_call *call);

#endif
