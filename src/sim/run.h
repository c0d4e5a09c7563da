/* A scenario, played through: its clients call, its server answers, and the gate stands between them. */
#ifndef GUSSET_SIM_RUN_H
#define GUSSET_SIM_RUN_H

#include "config/rules.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/watch.h"

/*
 * Plays the scenario (complete) with calls to this place under these rules; NULL: bare. Deterministic.
 * watch is told how far it is, or NULL. result_clear ends *result. Returns 0, or -errno.
 */
int run_scenario(const struct scenario *scenario, const struct rules *rules, const struct rules_query *query,
                 const struct watch *watch, struct result *result);

#endif
