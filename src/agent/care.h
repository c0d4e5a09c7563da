/*
 * The services in the agent's care: their health is checked when it is due, and they are found anew when the
 * configuration has changed. A faulty configuration changes nothing but what care_fault says.
 */
#ifndef GUSSET_AGENT_CARE_H
#define GUSSET_AGENT_CARE_H

#include "tool/ward.h"

enum { CARE_FAULT = 512 };

struct care {
    struct setup setup;
    struct options none; /* no service is asked for by name */
    const struct rules *rules;
    struct ward ward;
    uint64_t looked_ms;     /* monotonic, when it was last asked whether the rules are fresh */
    char fault[CARE_FAULT]; /* what is wrong with the configuration that is there now; "" */
    bool is_blind;          /* no check can be made: libcurl is not here */
    bool is_stuck;          /* what came of one cannot be remembered */
};

/* Reads the configuration. Returns 0, or -1 after every fault was printed. care_end ends it. */
int care_begin(struct care *care, const struct open_state *state);
void care_end(struct care *care);

/* Reads the configuration again. Returns whether another one holds from now on. */
bool care_reread(struct care *care);

/* Begins what is due, takes up what has ended, looks after the files. Returns as care_reread does. */
bool care_turn(struct care *care);

/* Until there is something to begin. */
uint32_t care_pause_ms(const struct care *care);

#endif
