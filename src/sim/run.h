/* A scenario, played through: its clients call, its server answers, and the gate stands between them. */
#ifndef GUSSET_SIM_RUN_H
#define GUSSET_SIM_RUN_H

#include "config/rules.h"
#include "sim/result.h"
#include "sim/scenario.h"

/*
 * Plays the scenario (complete) with calls to this place under these rules; NULL: bare. Deterministic.
 * result_clear ends *result. Returns 0, or -errno.
 */
int run_scenario(const struct scenario *scenario, const struct rules *rules, const struct rules_query *query,
                 struct result *result);

#endif
