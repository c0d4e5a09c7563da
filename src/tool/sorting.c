#include "tool/sorting.h"

#include <stdlib.h>
#include <string.h>

#include "core/breaker.h"

#define COUNTER(name)                                                                                        \
    {                                                                                                        \
#name, (enum sorting)(SORTING_BY_COUNTER + LAYOUT_COUNT_##name)                                      \
    }

static const struct {
    const char *name;
    enum sorting sorting;
} orders[] = {
    {"host",    SORTING_BY_HOST   },
    {"circuit", SORTING_BY_CIRCUIT},
    {"p50",     SORTING_BY_P50    },
    {"p99",     SORTING_BY_P99    },
    COUNTER(calls),
    COUNTER(attempts),
    COUNTER(retries),
    COUNTER(rescued),
    COUNTER(rejected),
    COUNTER(failed),
};

bool sorting_find(const char *name, enum sorting *sorting)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(orders[i].name, name) == 0) {
            *sorting = orders[i].sorting;
            return true;
        }
    return false;
}

static uint64_t weight_of_circuit(const struct snapshot *host)
{
    switch (breaker_state(host->circuit)) {
    case BREAKER_OPEN:
        return 2;
    case BREAKER_HALF_OPEN:
        return 1;
    case BREAKER_CLOSED:
        return 0;
    }
    return 0;
}

static uint64_t weight(const struct snapshot *host, enum sorting sorting)
{
    if (sorting == SORTING_BY_CIRCUIT)
        return weight_of_circuit(host);
    if (sorting == SORTING_BY_P50 || sorting == SORTING_BY_P99)
        return snapshot_latency_us(host, sorting == SORTING_BY_P50 ? 0.5 : 0.99);
    return host->counters[sorting - SORTING_BY_COUNTER];
}

static int compare(const void *first, const void *second, void *sorting)
{
    const struct snapshot *one = first, *other = second;
    uint64_t a = weight(one, *(enum sorting *)sorting), b = weight(other, *(enum sorting *)sorting);

    if (a != b)
        return a < b ? 1 : -1;
    int order = strcmp(one->host, other->host);
    return order ? order : strcmp(one->policy, other->policy);
}

void sorting_apply(struct snapshot_list *list, enum sorting sorting)
{
    if (sorting != SORTING_BY_HOST && list->count)
        qsort_r(list->items, list->count, sizeof *list->items, compare, &sorting);
}
