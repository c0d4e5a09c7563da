#include "tool/figures.h"

#include "core/outcome.h"

/* What is shown of a host, and what it is called where nothing was done but counted. */
static const struct {
    enum layout_counter counter, would;
    enum output_style style; /* when it is not 0 */
} shown[] = {
    {LAYOUT_COUNT_calls,    LAYOUT_COUNT_calls,        OUTPUT_PLAIN   },
    {LAYOUT_COUNT_attempts, LAYOUT_COUNT_attempts,     OUTPUT_PLAIN   },
    {LAYOUT_COUNT_retries,  LAYOUT_COUNT_would_retry,  OUTPUT_PLAIN   },
    {LAYOUT_COUNT_rescued,  LAYOUT_COUNT_rescued,      OUTPUT_GOOD    },
    {LAYOUT_COUNT_rejected, LAYOUT_COUNT_would_reject, OUTPUT_DOUBTFUL},
    {LAYOUT_COUNT_failed,   LAYOUT_COUNT_failed,       OUTPUT_BAD     },
};
enum { SHOWN = sizeof shown / sizeof *shown };

static uint64_t count_of(const struct snapshot *host, unsigned column)
{
    return host->counters[host->is_shadow ? shown[column].would : shown[column].counter];
}

static void add_latency(struct grid *grid, const struct snapshot *host, double quantile)
{
    uint64_t us = snapshot_latency_us(host, quantile);
    char text[OUTPUT_NUMBER];

    grid_add(grid, OUTPUT_PLAIN, "%s", us ? output_duration(us, text) : "-");
}

void figures_add(struct grid *grid, const struct snapshot *host)
{
    for (unsigned i = 0; i < SHOWN; i++) {
        uint64_t count = count_of(host, i);
        bool is_thought = host->is_shadow && shown[i].would != shown[i].counter;
        grid_add(grid, count ? shown[i].style : OUTPUT_PLAIN, is_thought ? "(%llu)" : "%llu",
                 (unsigned long long)count);
    }
    add_latency(grid, host, 0.5);
    add_latency(grid, host, 0.99);
}

void figures_sum(struct snapshot *total, const struct snapshot_list *list)
{
    *total = (struct snapshot){.is_shadow = list->count > 0};
    for (unsigned i = 0; i < list->count; i++) {
        for (unsigned c = 0; c < LAYOUT_COUNTERS_ROOM; c++)
            total->counters[c] += list->items[i].counters[c];
        for (unsigned b = 0; b < LAYOUT_LATENCY_BUCKETS; b++)
            total->latency[b] += list->items[i].latency[b];
        for (unsigned e = 0; e < LAYOUT_ERRORS; e++)
            total->errors[e] += list->items[i].errors[e];
        total->is_shadow = total->is_shadow && list->items[i].is_shadow;
    }
}

void figures_write(struct json *json, const struct snapshot *host)
{
    static const char *const names[LAYOUT_COUNTERS_USED] = {
#define X(name) #name,
        LAYOUT_COUNTERS(X)
#undef X
    };

    for (unsigned i = 0; i < LAYOUT_COUNTERS_USED; i++)
        json_number(json, names[i], host->counters[i]);
    json_object(json, "errors");
    for (unsigned type = 1; type < OUTCOME_TYPES; type++)
        if (host->errors[type - 1])
            json_number(json, outcome_type_name(type), host->errors[type - 1]);
    json_end_object(json);
    json_ms(json, "p50_ms", snapshot_latency_us(host, 0.5));
    json_ms(json, "p99_ms", snapshot_latency_us(host, 0.99));
}

void figures_print_note(const struct snapshot_list *list, FILE *to)
{
    struct snapshot total;
    bool has_shadow = false;

    for (unsigned i = 0; i < list->count; i++)
        has_shadow = has_shadow || list->items[i].is_shadow;
    if (has_shadow)
        fputs("(n): shadow, would have been done\n", to);
    figures_sum(&total, list);
    uint64_t nested = total.counters[LAYOUT_COUNT_nested];
    if (nested)
        fprintf(to, "%llu %s the program's own %s of a failed call, so gusset tried %s fewer times\n",
                (unsigned long long)nested, nested == 1 ? "call was" : "calls were",
                nested == 1 ? "repetition" : "repetitions", nested == 1 ? "it" : "them");
}
