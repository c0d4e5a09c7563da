#include "tool/reading.h"

#include <errno.h>
#include <string.h>

#include "config/preset.h"
#include "state/control.h"
#include "sys/clock.h"
#include "tool/setup.h"

int reading_begin(struct reading *reading, const char *named)
{
    struct setup setup = {.config = NULL};

    *reading = (struct reading){.exists = false};
    if (open_find(&reading->state, named) < 0)
        return -1;
    setup_model_or_empty(&setup, &reading->model);
    return 0;
}

void reading_end(struct reading *reading)
{
    model_clear(&reading->model);
}

int reading_take(struct reading *reading, const struct address *address)
{
    int error = open_existing(&reading->state);

    reading->exists = error == 0;
    reading->now_us = clock_now_us();
    if (error < 0)
        return error == -ENOENT ? 0 : -1;
    snapshot_take(&reading->hosts, &reading->state.map, address, NULL);
    snapshot_take_buckets(&reading->buckets, &reading->state.map, address);
    return 0;
}

void reading_drop(struct reading *reading)
{
    snapshot_clear(&reading->hosts);
    snapshot_clear(&reading->buckets);
    map_close(&reading->state.map);
}

/* The policy of this name where it has the group; NULL when it has not, or is unknown here. */
static const struct policy *policy_with(struct reading *reading, const struct snapshot *host,
                                        enum policy_group group)
{
    uint32_t index = model_find_policy(&reading->model, host->policy);

    if (index == (uint32_t)MODEL_NONE)
        index = preset_add(&reading->model, host->policy);
    if (index == (uint32_t)MODEL_NONE)
        return NULL;
    const struct policy *values = &model_policy(&reading->model, index)->values;
    return values->groups & group ? values : NULL;
}

uint32_t reading_window_ms(struct reading *reading, const struct snapshot *host)
{
    const struct policy *policy = policy_with(reading, host, POLICY_BREAKER);
    return policy ? policy->breaker.rule.window_ms : 0;
}

uint32_t reading_bulkhead(struct reading *reading, const struct snapshot *host)
{
    const struct policy *policy = policy_with(reading, host, POLICY_BULKHEAD);
    return policy ? policy->bulkhead.calls : 0;
}

struct tokens reading_tokens(struct reading *reading, const struct snapshot *host)
{
    const struct policy *policy = policy_with(reading, host, POLICY_LIMIT);
    return (struct tokens){policy ? &policy->limit.rule : NULL, host, &reading->buckets, reading->now_us};
}

static const char *name_of_switch(uint64_t mode)
{
    static const char *const names[] = {"as configured", "enforce", "shadow", "off"};
    return names[mode < sizeof names / sizeof *names ? mode : 0];
}

const char *reading_mode(const struct reading *reading)
{
    return name_of_switch(control_switch(control_word(reading->state.map.header)));
}

const char *reading_host_mode(const struct reading *reading, const struct snapshot *host)
{
    return name_of_switch(control_host_switch(reading->state.map.header, host->host, strlen(host->host)));
}

unsigned reading_switched_hosts(const struct reading *reading)
{
    return control_hosts(reading->state.map.header);
}

uint64_t reading_unprotected(const struct reading *reading)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < LAYOUT_UNPROTECTED; i++)
        sum += atomic_load(&reading->state.map.header->unprotected[i].count);
    return sum;
}
