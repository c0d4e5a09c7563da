/* Simulated runs of one scenario side by side, over time and summed up: for a terminal, and as JSON. */
#ifndef GUSSET_TOOL_TIMELINE_H
#define GUSSET_TOOL_TIMELINE_H

#include <stdio.h>

#include "sim/result.h"
#include "sim/scenario.h"
#include "tool/json.h"
#include "tool/output.h"

struct timeline_run {
    char name[64]; /* of the policy; "bare" */
    bool has_circuit;
    struct result result;
};

struct timeline {
    const struct scenario *scenario;
    struct timeline_run *runs; /* the first is bare: what the others are held against */
    unsigned count;
};

void timeline_print(struct timeline *timeline, FILE *to);

/* Load, success, waiting and circuit of each run alone; timeline->scenario is not asked for. */
void timeline_print_curves(const struct timeline *timeline, FILE *to);

/* Into the object that is open. */
void timeline_write(struct timeline *timeline, struct json *json);

/* The most that any slice of any run has. */
uint64_t timeline_most_attempts(const struct timeline *timeline);
double timeline_most_under_way(const struct timeline *timeline);

/*
 * How long after the trouble the last call ended that did not end well; 0: none did after it. Returns false
 * where nothing can be said: the trouble lasts to the end, or calls still fail then.
 */
bool timeline_recovery_us(const struct timeline *timeline, const struct result *result, uint64_t *us);

#endif
