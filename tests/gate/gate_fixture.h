/*
 * The engine over the shared state, as a door uses it, with a clock and dice of the test's own, and a
 * configuration that the test writes. For one test program: it defines what sys/clock and sys/random do.
 */
#ifndef GUSSET_TESTS_GATE_FIXTURE_H
#define GUSSET_TESTS_GATE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/method.h"
#include "gate/gate.h"

/* Last: its names are those of parameters elsewhere. */
#include "gate/own_clock.h"

/* A host below the domain that a rule of the test's names; each is new, so that none inherits another's
 * memory. */
static inline struct place new_host(const char *domain)
{
    static int number;
    struct place place;
    char name[96];
    int length = snprintf(name, sizeof name, "host-%d.%s", ++number, domain);

    assert_true(place_from_host(&place, name, (size_t)length, 443));
    return place;
}

static inline struct gate_call open_call(const struct place *place)
{
    struct rules_query query = {.place = place, .method = METHOD_GET, .path = "/", .path_length = 1};
    struct gate_call call = {.policy = NULL};

    assert_true(gate_open(&call, &query, true));
    return call;
}

static inline struct gate_attempt attempt_of(struct outcome outcome)
{
    return (struct gate_attempt){
        .outcome = outcome, .method = METHOD_GET, .sent = true, .replayable = true, .retry_after_ms = -1};
}

static inline struct verdict end(struct gate_call *call, struct outcome outcome)
{
    struct gate_attempt attempt = attempt_of(outcome);
    return gate_ended(call, &attempt);
}

/* Asks, and waits as the gate says, until it says GO or REFUSE. */
static inline struct verdict insist(struct gate_call *call)
{
    for (;;) {
        struct verdict verdict = gate_admit(call, true);
        if (verdict.kind != VERDICT_WAIT && verdict.kind != VERDICT_LATER)
            return verdict;
        pass_ms(verdict.wait_ms);
        if (verdict.kind == VERDICT_WAIT)
            return (struct verdict){.kind = VERDICT_GO};
    }
}

/* One call of one attempt, that does not wait; returns what the gate answered to its request. */
static inline struct verdict one_call(const struct place *place, struct outcome outcome)
{
    struct gate_call call = open_call(place);
    struct verdict admitted = gate_admit(&call, false);

    if (admitted.kind != VERDICT_REFUSE)
        end(&call, outcome);
    gate_close(&call);
    return admitted;
}

/* Failures enough for `standard`. */
static inline void open_circuit(const struct place *place)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(one_call(place, outcome_of_status(503)).kind, VERDICT_GO);
}

static inline uint64_t counted(const struct gate_call *call, enum layout_counter counter)
{
    return atomic_load(&call->slot->counters[counter]);
}

static char folder[] = "/tmp/gusset-gate-XXXXXX";

/* Writes the configuration, and lets the gate find it, with a state of its own. */
static inline int prepare_with(const char *configuration)
{
    static char config[64], state[64];

    if (!mkdtemp(folder))
        return -1;
    snprintf(config, sizeof config, "%s/gusset.cfg", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    FILE *file = fopen(config, "w");
    if (!file || fputs(configuration, file) < 0 || fclose(file) != 0 || chmod(config, 0600) != 0)
        return -1;
    setenv("GUSSET_CONFIG", config, 1);
    setenv("GUSSET_STATE", state, 1);
    unsetenv("GUSSET_POLICY");
    unsetenv("GUSSET_SET");
    unsetenv("GUSSET_MODE");
    return gate_ready(true) ? 0 : -1;
}

/* The policy `standard` for every host: a group's setup. */
static inline int prepare_standard(void **state)
{
    (void)state;
    return prepare_with("hosts = ( { match = \"*\"; policy = \"standard\"; } );\n");
}

static int tidy(void **state)
{
    char command[96];
    (void)state;

    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

#endif
