#include "sim/scenario.h"

#include <stddef.h>
#include <string.h>

#include "sim/dice.h"

static const struct scenario known[] = {
    {.name = "outage",        .refuses = true},
    {.name = "brownout",      .failing = 0.5,  .slowness = 3},
    {.name = "slow",                       .slowness = 50                        },
    {.name = "flaky",                       .failing = 0.1,.until_us = UINT64_MAX},
    {.name = "tail", .slow = 0.05,                 .slowness = 20, .until_us = UINT64_MAX},
    {.name = "overload",           .crowd = 4},
};

enum { KNOWN = sizeof known / sizeof *known };

static const struct scenario usual = {
    .clients = 100, .rate = 100, .duration_us = 60000000, .seed = 1, .latency_us = 100000};

const char *scenario_name(unsigned index)
{
    return index < KNOWN ? known[index].name : NULL;
}

bool scenario_find(const char *name, struct scenario *scenario)
{
    for (unsigned i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        *scenario = known[i];
        scenario->slowness = known[i].slowness > 0 ? known[i].slowness : 1;
        scenario->slow = known[i].slow > 0 ? known[i].slow : 1;
        scenario->crowd = known[i].crowd > 0 ? known[i].crowd : 1;
        scenario->clients = usual.clients;
        scenario->rate = usual.rate;
        scenario->duration_us = usual.duration_us;
        scenario->seed = usual.seed;
        scenario->latency_us = usual.latency_us;
        return true;
    }
    return false;
}

/* Little's law: requests at work are the rate times how long each takes. A tail is a server's everyday, which
 * it was made for; what makes all answers slow is not. */
static uint32_t workers_for(const struct scenario *scenario)
{
    double tail = scenario->slow < 1 ? scenario->slow * (scenario->slowness - 1) : 0;
    double needed = scenario->rate * (double)scenario->latency_us / 1e6 * (1 + tail);

    return 2 * needed < SCENARIO_WORKERS_MOST ? (uint32_t)(2 * needed) + 1 : SCENARIO_WORKERS_MOST;
}

void scenario_complete(struct scenario *scenario)
{
    const uint64_t quarter_us = scenario->duration_us / 4;
    bool is_for_good = scenario->until_us == UINT64_MAX && !scenario->lasts_us;

    if (!scenario->has_from && !is_for_good)
        scenario->from_us = quarter_us;
    if (!is_for_good)
        scenario->until_us = scenario->from_us + (scenario->lasts_us ? scenario->lasts_us : quarter_us);
    if (scenario->until_us > scenario->duration_us)
        scenario->until_us = scenario->duration_us;
    if (!scenario->workers)
        scenario->workers = workers_for(scenario);
    if (!scenario->backlog)
        scenario->backlog = 5 * scenario->workers;
}

bool scenario_troubles(const struct scenario *scenario, uint64_t us)
{
    return us >= scenario->from_us && us < scenario->until_us;
}

/* Of many years and more there is no hurry, nor a whole number of microseconds. */
static uint64_t whole_us(double us)
{
    return us < 0x1p62 ? (uint64_t)us : UINT64_C(1) << 62;
}

uint64_t scenario_next_us(const struct scenario *scenario, uint32_t who, uint64_t calls, uint64_t last_us)
{
    struct dice dice = dice_of(scenario->seed, ~(uint64_t)who, calls);
    double period_us = 1e6 * scenario->clients / scenario->rate;
    bool is_of_crowd = who >= scenario->clients; /* which comes with the trouble and goes with it */
    uint64_t next_us;

    if (calls > 0)
        next_us = last_us + whole_us(period_us * dice_about_one(&dice, 0.2));
    else /* they do not all begin at the same moment */
        next_us = whole_us(period_us * dice_share(&dice)) + (is_of_crowd ? scenario->from_us : 0);
    if (is_of_crowd && !scenario_troubles(scenario, next_us))
        return UINT64_MAX;
    return next_us < scenario->duration_us ? next_us : UINT64_MAX;
}

uint32_t scenario_clients(const struct scenario *scenario)
{
    return (uint32_t)((double)scenario->clients * scenario->crowd);
}
