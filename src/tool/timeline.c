#include "tool/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tool/grid.h"
#include "tool/sign.h"

enum { LABEL = 21, REMARK = 15, END_SLICES = 2 };

/* ---- what is shown ---- */

uint64_t timeline_most_attempts(const struct timeline *timeline)
{
    uint64_t most = 1;

    for (unsigned i = 0; i < timeline->count; i++)
        for (unsigned at = 0; at < RESULT_SLICES; at++)
            if (timeline->runs[i].result.slices[at].attempts > most)
                most = timeline->runs[i].result.slices[at].attempts;
    return most;
}

double timeline_most_under_way(const struct timeline *timeline)
{
    double most = 0;

    for (unsigned i = 0; i < timeline->count; i++)
        for (unsigned at = 0; at < RESULT_SLICES; at++)
            if (timeline->runs[i].result.slices[at].under_way > most)
                most = timeline->runs[i].result.slices[at].under_way;
    return most;
}

bool timeline_recovery_us(const struct timeline *timeline, const struct result *result, uint64_t *us)
{
    const struct scenario *scenario = timeline->scenario;

    if (scenario->until_us >= scenario->duration_us ||
        result->last_bad_us + END_SLICES * result->slice_us > scenario->duration_us)
        return false;
    *us = result->last_bad_us > scenario->until_us ? result->last_bad_us - scenario->until_us : 0;
    return true;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

/* ---- over time ---- */

/* A bar of eight heights; a blank is nothing at all. */
static const char *bar(double share)
{
    static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int height = share <= 0 ? 0 : share >= 1 ? 8 : 1 + (int)(share * 8);

    return bars[height > 8 ? 8 : height];
}

struct curve {
    const char *name;
    const char *(*sign)(const struct result_slice *slice, double most);
    enum output_style style;
};

static const char *sign_load(const struct result_slice *slice, double most)
{
    return bar((double)slice->attempts / most);
}

static const char *sign_success(const struct result_slice *slice, double most)
{
    (void)most;
    return slice->good + slice->bad ? bar(ratio(slice->good, slice->good + slice->bad)) : "·";
}

static const char *sign_waiting(const struct result_slice *slice, double most)
{
    return most > 0 ? bar(slice->under_way / most) : " ";
}

static const char *sign_circuit(const struct result_slice *slice, double most)
{
    (void)most;
    if (slice->circuit[BREAKER_OPEN] >= 0.5)
        return "●";
    return slice->circuit[BREAKER_OPEN] + slice->circuit[BREAKER_HALF_OPEN] > 0 ? "◐" : "·";
}

static const struct curve curves[] = {
    {"load",    sign_load,    OUTPUT_DOUBTFUL},
    {"success", sign_success, OUTPUT_GOOD    },
    {"waiting", sign_waiting, OUTPUT_PLAIN   },
    {"circuit", sign_circuit, OUTPUT_BAD     },
};

enum { LOAD, SUCCESS, WAITING, CIRCUIT, CURVES };

static void print_remark(const struct result *result, unsigned which, FILE *to)
{
    uint64_t attempts = 0;
    double under_way = 0;

    for (unsigned at = 0; at < RESULT_SLICES; at++) {
        if (result->slices[at].attempts > attempts)
            attempts = result->slices[at].attempts;
        if (result->slices[at].under_way > under_way)
            under_way = result->slices[at].under_way;
    }
    if (which == LOAD)
        fprintf(to, "  up to %.0f/s", (double)attempts * 1e6 / (double)result->slice_us);
    else if (which == SUCCESS)
        fprintf(to, "  %.1f %%", 100 * ratio(result->good, result->calls));
    else if (which == WAITING)
        fprintf(to, "  up to %.0f", under_way);
    else if (result->opened)
        fprintf(to, "  opened %llu%s", (unsigned long long)result->opened, sign_of("×"));
}

/* How many slices a sign stands for: a narrow terminal has no room for one each. */
static unsigned step_for(FILE *to)
{
    struct winsize size;

    if (ioctl(fileno(to), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 1;
    return size.ws_col < LABEL + RESULT_SLICES + REMARK ? 2 : 1;
}

static struct result_slice sum_of(const struct result *result, unsigned at, unsigned step)
{
    struct result_slice sum = {0};

    for (unsigned i = at; i < at + step && i < RESULT_SLICES; i++) {
        const struct result_slice *slice = &result->slices[i];
        sum.attempts += slice->attempts;
        sum.hedged += slice->hedged;
        sum.good += slice->good;
        sum.bad += slice->bad;
        sum.under_way += slice->under_way / step;
        for (unsigned state = 0; state < sizeof sum.circuit / sizeof *sum.circuit; state++)
            sum.circuit[state] += slice->circuit[state] / step;
    }
    return sum;
}

static void print_run(const struct timeline *timeline, const struct timeline_run *run, FILE *to)
{
    unsigned step = step_for(to);
    const double most[CURVES] = {[LOAD] = (double)timeline_most_attempts(timeline) * step,
                                 [WAITING] = timeline_most_under_way(timeline)};

    for (unsigned which = 0; which < (run->has_circuit ? CURVES : CIRCUIT); which++) {
        const struct curve *curve = &curves[which];
        fprintf(to, "%s%-*.*s%s %-7s %s", which ? "" : output_style(to, OUTPUT_BOLD), LABEL - 9, LABEL - 9,
                which ? "" : run->name, which ? "" : output_style(to, OUTPUT_PLAIN), curve->name,
                output_style(to, curve->style));
        for (unsigned at = 0; at < RESULT_SLICES; at += step) {
            struct result_slice slice = sum_of(&run->result, at, step);
            fputs(sign_of(curve->sign(&slice, most[which])), to);
        }
        fputs(output_style(to, OUTPUT_PLAIN), to);
        print_remark(&run->result, which, to);
        fputc('\n', to);
    }
}

void timeline_print_curves(const struct timeline *timeline, FILE *to)
{
    for (unsigned i = 0; i < timeline->count; i++) {
        print_run(timeline, &timeline->runs[i], to);
        fputc('\n', to);
    }
}

/* Where the trouble lies, over the curves. */
static void print_scale(const struct timeline *timeline, FILE *to)
{
    const struct scenario *scenario = timeline->scenario;
    uint64_t slice_us = timeline->runs[0].result.slice_us * step_for(to);
    char from[OUTPUT_NUMBER], until[OUTPUT_NUMBER], text[2 * OUTPUT_NUMBER + 16];
    int first = (int)(scenario->from_us / slice_us), last = (int)((scenario->until_us - 1) / slice_us);

    snprintf(text, sizeof text, "%s to %s",
             scenario->from_us ? output_duration(scenario->from_us, from) : "0 s",
             output_duration(scenario->until_us, until));
    int width = last - first + 1, blank = width - 2 - (int)strlen(text);
    fprintf(to, "%*s%s", LABEL + first, "", output_style(to, OUTPUT_DIM));
    if (blank < 0) {
        fprintf(to, "%s%s", sign_of("┌"), text);
    } else {
        fputs(sign_of("┌"), to);
        for (int i = 0; i < blank / 2; i++)
            fputs(sign_of("─"), to);
        fputs(text, to);
        for (int i = blank / 2; i < blank; i++)
            fputs(sign_of("─"), to);
        fputs(sign_of("┐"), to);
    }
    fprintf(to, "%s\n", output_style(to, OUTPUT_PLAIN));
}

/* ---- summed up ---- */

static void add_recovery(struct grid *grid, const struct timeline *timeline, const struct result *result)
{
    char text[OUTPUT_NUMBER];
    uint64_t us;

    if (timeline->scenario->until_us >= timeline->scenario->duration_us)
        grid_add(grid, OUTPUT_DIM, "-");
    else if (!timeline_recovery_us(timeline, result, &us))
        grid_add(grid, OUTPUT_BAD, "not in time");
    else
        grid_add(grid, us ? OUTPUT_PLAIN : OUTPUT_GOOD, "%s", us ? output_duration(us, text) : "at once");
}

static void add_wait(struct grid *grid, struct result *result, double share)
{
    char text[OUTPUT_NUMBER];

    if (result->waits)
        grid_add(grid, OUTPUT_PLAIN, "%s", output_duration(result_wait_us(result, share), text));
    else
        grid_add(grid, OUTPUT_DIM, "-");
}

static void print_totals(struct timeline *timeline, FILE *to)
{
    static const struct grid_column columns[] = {
        {"POLICY",     false},
        {"CALLS",      true },
        {"ATTEMPTS",   true },
        {"LOAD",       true },
        {"IN TROUBLE", true },
        {"SUCCESS",    true },
        {"RESCUED",    true },
        {"REFUSED",    true },
        {"FAILED",     true },
        {"P50",        true },
        {"P99",        true },
        {"RECOVERED",  true }
    };
    const struct result *bare = &timeline->runs[0].result;
    struct grid grid;

    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < timeline->count; i++) {
        struct result *result = &timeline->runs[i].result;
        grid_add(&grid, OUTPUT_PLAIN, "%s", timeline->runs[i].name);
        grid_add(&grid, OUTPUT_PLAIN, "%llu", (unsigned long long)result->calls);
        grid_add(&grid, OUTPUT_PLAIN, "%llu", (unsigned long long)result->attempts);
        grid_add(&grid, OUTPUT_PLAIN, "%.2f%s", ratio(result->attempts, bare->attempts), sign_of("×"));
        grid_add(&grid, OUTPUT_PLAIN, "%.2f%s", ratio(result->troubled_attempts, bare->troubled_attempts),
                 sign_of("×"));
        grid_add(&grid, OUTPUT_PLAIN, "%.1f %%", 100 * ratio(result->good, result->calls));
        grid_add(&grid, OUTPUT_PLAIN, "%llu", (unsigned long long)result->rescued);
        grid_add(&grid, OUTPUT_PLAIN, "%llu", (unsigned long long)result->refused);
        grid_add(&grid, OUTPUT_PLAIN, "%llu", (unsigned long long)result->failed);
        add_wait(&grid, result, 0.5);
        add_wait(&grid, result, 0.99);
        add_recovery(&grid, timeline, result);
    }
    grid_print(&grid, to);
    grid_clear(&grid);
}

/* What a rule's hedge has added to the load, and what came of it. */
static void print_hedges(const struct timeline *timeline, FILE *to)
{
    for (unsigned i = 0; i < timeline->count; i++) {
        const struct result *result = &timeline->runs[i].result;
        if (result->hedged)
            fprintf(to, "%s%s: %llu second attempts (hedge), %.1f %% of the attempts; %llu answered first\n",
                    i ? "" : "\n", timeline->runs[i].name, (unsigned long long)result->hedged,
                    100 * ratio(result->hedged, result->attempts), (unsigned long long)result->hedge_won);
    }
}

/* "all" or "5 % of the" answers. */
static const char *whose(double share, char text[32])
{
    snprintf(text, 32, share < 1 ? "%g %% of the answers" : "all answers", 100 * share);
    return text;
}

static void print_trouble(const struct scenario *scenario, FILE *to)
{
    char failing[32], slow[32];

    if (scenario->refuses)
        fputs("the server refuses every connection", to);
    if (scenario->crowd > 1)
        fprintf(to, "%g times as many clients call", scenario->crowd);
    if (scenario->crowd > 1 && scenario->failing > 0)
        fputs(", ", to);
    if (scenario->failing > 0)
        fprintf(to, "%s are 503", whose(scenario->failing, failing));
    if (scenario->failing > 0 && scenario->slowness > 1)
        fputs(", ", to);
    if (scenario->slowness > 1)
        fprintf(to, "%s take %g times as long", whose(scenario->slow, slow), scenario->slowness);
    fputc('\n', to);
}

static void print_head(const struct scenario *scenario, FILE *to)
{
    char duration[OUTPUT_NUMBER], latency[OUTPUT_NUMBER];

    fprintf(to, "%s%s%s: ", output_style(to, OUTPUT_BOLD), scenario->name, output_style(to, OUTPUT_PLAIN));
    print_trouble(scenario, to);
    fprintf(
        to,
        "%u clients, %g calls a second, %s; answers in %s, %u at a time, %u more may wait%s; seed %llu\n\n",
        scenario->clients, scenario->rate, output_duration(scenario->duration_us, duration),
        output_duration(scenario->latency_us, latency), scenario->workers, scenario->backlog,
        scenario->deaf ? ", also who has given up" : "", (unsigned long long)scenario->seed);
}

static const char legend[] =
    "load: attempts that reach the server, to what bare calls would make · waiting: calls under way\n"
    "circuit: · closed  ◐ half open  ● open · p50, p99: calls that were not refused at once\n"
    "recovered: when the last call ended, after the trouble, that did not end well";

void timeline_print(struct timeline *timeline, FILE *to)
{
    print_head(timeline->scenario, to);
    print_scale(timeline, to);
    timeline_print_curves(timeline, to);
    print_totals(timeline, to);
    print_hedges(timeline, to);
    fprintf(to, "\n%s", output_style(to, OUTPUT_DIM));
    sign_print(to, legend);
    fprintf(to, "%s\n", output_style(to, OUTPUT_PLAIN));
}

/* ---- for programs ---- */

/* Thousandths are enough. */
static void write_share(struct json *json, const char *key, double share)
{
    json_ms(json, key, (uint64_t)(1000 * share + 0.5));
}

static void write_scenario(const struct scenario *scenario, struct json *json)
{
    json_object(json, "scenario");
    json_text(json, "name", scenario->name);
    json_number(json, "clients", scenario->clients);
    write_share(json, "rate", scenario->rate);
    json_ms(json, "duration_ms", scenario->duration_us);
    json_ms(json, "from_ms", scenario->from_us);
    json_ms(json, "until_ms", scenario->until_us);
    json_bool(json, "refuses", scenario->refuses);
    write_share(json, "failing", scenario->failing);
    write_share(json, "slow", scenario->slow);
    write_share(json, "slowness", scenario->slowness);
    write_share(json, "crowd", scenario->crowd);
    json_ms(json, "latency_ms", scenario->latency_us);
    json_number(json, "workers", scenario->workers);
    json_number(json, "backlog", scenario->backlog);
    json_bool(json, "deaf", scenario->deaf);
    json_number(json, "seed", scenario->seed);
    json_end_object(json);
}

static void write_slices(const struct result *result, struct json *json)
{
    json_array(json, "timeline");
    for (unsigned at = 0; at < RESULT_SLICES; at++) {
        const struct result_slice *slice = &result->slices[at];
        json_object(json, NULL);
        json_ms(json, "at_ms", at * result->slice_us);
        json_number(json, "attempts", slice->attempts);
        json_number(json, "hedged", slice->hedged);
        json_number(json, "good", slice->good);
        json_number(json, "bad", slice->bad);
        write_share(json, "under_way", slice->under_way);
        write_share(json, "open", slice->circuit[BREAKER_OPEN]);
        write_share(json, "half_open", slice->circuit[BREAKER_HALF_OPEN]);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_run(struct timeline *timeline, struct timeline_run *run, struct json *json)
{
    const struct result *bare = &timeline->runs[0].result;
    struct result *result = &run->result;
    uint64_t us;

    json_object(json, NULL);
    json_text(json, "policy", run->name);
    json_number(json, "calls", result->calls);
    json_number(json, "attempts", result->attempts);
    write_share(json, "load", ratio(result->attempts, bare->attempts));
    write_share(json, "load_in_trouble", ratio(result->troubled_attempts, bare->troubled_attempts));
    write_share(json, "success", ratio(result->good, result->calls));
    json_number(json, "good", result->good);
    json_number(json, "rescued", result->rescued);
    json_number(json, "refused", result->refused);
    json_number(json, "failed", result->failed);
    json_number(json, "opened", result->opened);
    json_number(json, "hedged", result->hedged);
    json_number(json, "hedge_won", result->hedge_won);
    json_ms(json, "p50_ms", result_wait_us(result, 0.5));
    json_ms(json, "p99_ms", result_wait_us(result, 0.99));
    if (timeline_recovery_us(timeline, result, &us))
        json_ms(json, "recovered_ms", us);
    else
        json_null(json, "recovered_ms");
    write_slices(result, json);
    json_end_object(json);
}

void timeline_write(struct timeline *timeline, struct json *json)
{
    write_scenario(timeline->scenario, json);
    json_array(json, "runs");
    for (unsigned i = 0; i < timeline->count; i++)
        write_run(timeline, &timeline->runs[i], json);
    json_end_array(json);
}
