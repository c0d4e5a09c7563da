/* What the breaker's tests share: the rule of `standard`, and a circuit that has tripped. */
#ifndef GUSSET_TESTS_BREAKER_FIXTURE_H
#define GUSSET_TESTS_BREAKER_FIXTURE_H

#include "core/breaker.h"

enum { LEASE = 3000, NOW = 1000000 };

/* 5 in a row, or 90 % of 20. */
static const struct breaker_rule rule = {.consecutive = 5,
                                         .percent_bp = 9000,
                                         .minimum = 20,
                                         .window_ms = 30000,
                                         .open_ms = 5000,
                                         .open_cap_ms = 300000,
                                         .probes = 1};
static const struct window_sum quiet = {0, 0};

static inline struct breaker_rule with_probes(uint32_t probes)
{
    struct breaker_rule changed = rule;
    changed.probes = probes;
    return changed;
}

static inline uint64_t failure(uint64_t word, uint64_t now_ms, uint64_t round)
{
    return breaker_ended(word, &rule, now_ms, round, true, quiet);
}

static inline uint64_t tripped(uint64_t now_ms)
{
    uint64_t word = 0;

    for (int i = 0; i < 5; i++)
        word = failure(word, now_ms, 0);
    return word;
}

/* One admission; *word becomes what must be stored. */
static inline struct breaker_admission admit(uint64_t *word, const struct breaker_rule *by, uint64_t now_ms)
{
    struct breaker_admission admission;

    *word = breaker_admit(*word, by, now_ms, LEASE, &admission);
    return admission;
}

#endif
