/* What the shared state knows of each host: a table, one host in full, or JSON. */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "core/breaker.h"
#include "core/outcome.h"
#include "tool/faults.h"
#include "tool/figures.h"
#include "tool/hosts.h"
#include "tool/options.h"
#include "tool/others.h"
#include "tool/output.h"
#include "tool/reading.h"
#include "tool/screen.h"
#include "tool/sorting.h"
#include "tool/style.h"

struct status {
    const char *state_path;
    const char *watch, *sort; /* NULL: not asked for */
    bool json;
    enum sorting order;
    uint64_t every_ms;
    bool has_address;
    struct address address;
    struct reading reading;
};

static void add_in_flight(struct grid *grid, const struct snapshot *host, uint32_t most)
{
    if (most)
        grid_add(grid, host->in_flight < most ? OUTPUT_PLAIN : OUTPUT_DOUBTFUL, "%u/%u", host->in_flight,
                 most);
    else
        grid_add(grid, OUTPUT_PLAIN, "-");
}

/* ---- the table ---- */

static void say(FILE *to, const char *line)
{
    fprintf(to, "%s\n", line);
}

/* A host that was switched by hand, in a few words; "": it was not. */
static const char *switch_note(const struct status *status, const struct snapshot *host)
{
    static const struct {
        const char *mode, *note;
    } notes[] = {
        {"enforce", " (switched: enforce)"},
        {"shadow",  " (switched: shadow)" },
        {"off",     " (switched: off)"    }
    };

    for (unsigned i = 0; i < sizeof notes / sizeof *notes; i++)
        if (strcmp(reading_host_mode(&status->reading, host), notes[i].mode) == 0)
            return notes[i].note;
    return "";
}

static void print_table(struct status *status, FILE *to)
{
    const struct snapshot_list *list = &status->reading.hosts;
    static const struct grid_column columns[] = {
        {"HOST",      false},
        {"POLICY",    false},
        {"CIRCUIT",   false},
        FIGURES_COLUMNS, {"IN FLIGHT", true },
        {"TOKENS",    true },
    };
    static const unsigned char spare[] = {0, 4, 0, FIGURES_SPARE, 10, 9};
    uint64_t now_ms = status->reading.now_us / 1000;
    bool is_switched = strcmp(reading_mode(&status->reading), "as configured") != 0;
    enum output_style style = is_switched ? OUTPUT_DOUBTFUL : OUTPUT_DIM;
    struct grid grid;
    char circuit[SNAPSHOT_CIRCUIT];

    fprintf(to, "%s%s: %u %s, mode %s", output_style(to, style), status->reading.state.path, list->count,
            list->count == 1 ? "circuit" : "circuits", reading_mode(&status->reading));
    if (reading_switched_hosts(&status->reading))
        fprintf(to, ", %u %s switched by hand", reading_switched_hosts(&status->reading),
                reading_switched_hosts(&status->reading) == 1 ? "host" : "hosts");
    if (reading_unprotected(&status->reading))
        fprintf(to, ", %llu unprotected", (unsigned long long)reading_unprotected(&status->reading));
    fprintf(to, "%s\n", output_style(to, OUTPUT_PLAIN));
    if (list->count == 0)
        return;
    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    grid.most = screen_columns(stdout);
    grid.spare = spare;
    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        grid_add(&grid, OUTPUT_PLAIN, "%s", host->host);
        grid_add(&grid, OUTPUT_PLAIN, "%s%s%s", snapshot_policy(host), host->is_shadow ? " (shadow)" : "",
                 switch_note(status, host));
        grid_add(&grid, style_circuit(host), "%s", snapshot_circuit(host, now_ms, circuit));
        figures_add(&grid, host);
        add_in_flight(&grid, host, reading_bulkhead(&status->reading, host));
        struct tokens tokens = reading_tokens(&status->reading, host);
        tokens_add(&grid, &tokens);
    }
    grid_print(&grid, to);
    grid_clear(&grid);
    figures_print_note(list, to);
}

/* ---- one host in full ---- */

static void print_window(struct status *status, const struct snapshot *host, FILE *to, uint64_t now_ms)
{
    uint32_t ms = reading_window_ms(&status->reading, host);
    char duration[OUTPUT_NUMBER];

    if (ms == 0) {
        say(to, host->policy[0]
                    ? "  window    not known: the policy is none of the configuration that holds here"
                    : "  window    not known: all policies of the host share this circuit");
        return;
    }
    struct window_sum sum = snapshot_window(host->outcomes, ms, now_ms);
    fprintf(to, "  window    %u attempts, %u failed, in the last %s", sum.all, sum.marked,
            output_duration((uint64_t)ms * 1000, duration));
    if (sum.all)
        fprintf(to, " (%.1f %%)", 100.0 * sum.marked / sum.all);
    if (breaker_state(host->circuit) == BREAKER_CLOSED) /* which is what counts them */
        fprintf(to, "; %u failures in a row", breaker_failures(host->circuit));
    fputc('\n', to);
}

static void print_latency(const struct snapshot *host, FILE *to)
{
    char p50[OUTPUT_NUMBER], p90[OUTPUT_NUMBER], p99[OUTPUT_NUMBER];

    if (!snapshot_latency_us(host, 0.5)) {
        say(to, "  latency   no call has ended yet");
        return;
    }
    fprintf(to, "  latency   p50 %s, p90 %s, p99 %s, of whole calls\n",
            output_duration(snapshot_latency_us(host, 0.5), p50),
            output_duration(snapshot_latency_us(host, 0.9), p90),
            output_duration(snapshot_latency_us(host, 0.99), p99));
}

static void print_counters(const struct snapshot *host, FILE *to)
{
#define X(name) #name,
    static const char *const names[] = {LAYOUT_COUNTERS(X)};
#undef X
    const char *before = "  counted  ";

    for (unsigned i = 0; i < LAYOUT_COUNTERS_USED; i++) {
        if (host->counters[i] == 0)
            continue;
        fprintf(to, "%s %s %llu", before, names[i], (unsigned long long)host->counters[i]);
        before = ",";
    }
    say(to, before[0] == ',' ? "" : "  counted   nothing yet");
}

static void print_errors(const struct snapshot *host, FILE *to)
{
    const char *before = "  errors   ";

    for (unsigned type = 1; type < OUTCOME_TYPES; type++) {
        if (host->errors[type - 1] == 0)
            continue;
        fprintf(to, "%s %s %u", before, outcome_type_name(type), host->errors[type - 1]);
        before = ",";
    }
    if (before[0] == ',')
        fputc('\n', to);
}

static void print_host(struct status *status, struct snapshot *host, FILE *to)
{
    uint64_t now_ms = status->reading.now_us / 1000;
    char circuit[SNAPSHOT_CIRCUIT];
    struct window_sum budget = snapshot_window(host->budget, RETRY_BUDGET_WINDOW_MS, now_ms);
    struct tokens tokens = reading_tokens(&status->reading, host);

    fprintf(to, "%s%s%s, policy %s%s\n", output_style(to, OUTPUT_BOLD), output_clean(host->host),
            output_style(to, OUTPUT_PLAIN), output_clean((char *)(uintptr_t)snapshot_policy(host)),
            host->is_shadow ? " (shadow: counted, not done)" : "");
    if (*switch_note(status, host))
        fprintf(to, "  mode      %s, by `gusset mode --host`\n", reading_host_mode(&status->reading, host));
    fprintf(to, "  circuit   %s%s%s\n", output_style(to, style_circuit(host)),
            snapshot_circuit(host, now_ms, circuit), output_style(to, OUTPUT_PLAIN));
    print_window(status, host, to, now_ms);
    fprintf(to, "  budget    %u retries for %u calls in the last 10 s\n", budget.marked, budget.all);
    tokens_print(&tokens, to);
    if (reading_bulkhead(&status->reading, host))
        fprintf(to, "  in flight %u of %u calls\n", host->in_flight,
                reading_bulkhead(&status->reading, host));
    print_latency(host, to);
    print_counters(host, to);
    print_errors(host, to);
}

/* ---- the verb ---- */

#define UNKNOWN "status: that host is not known in %s; `gusset status` lists those that are"

static void print(struct status *status, FILE *to)
{
    const struct snapshot_list *list = &status->reading.hosts;

    if (!status->has_address)
        print_table(status, to);
    else
        for (unsigned i = 0; i < list->count; i++)
            print_host(status, &list->items[i], to);
}

static int show(struct status *status, FILE *to)
{
    const struct snapshot_list *list = &status->reading.hosts;

    if (reading_take(&status->reading, status->has_address ? &status->address : NULL) < 0)
        return TOOL_FAULTS;
    int result = status->has_address && list->count == 0 ? TOOL_FAULTS : TOOL_FINE;
    sorting_apply(&status->reading.hosts, status->order);
    if (status->json)
        hosts_write(stdout, &status->reading);
    else if (!status->reading.exists)
        open_say_none(&status->reading.state, to);
    else if (result == TOOL_FINE)
        print(status, to);
    else if (to == stdout)
        output_error(UNKNOWN, status->reading.state.path);
    else
        fprintf(to, UNKNOWN "\n", status->reading.state.path);
    if (!status->json && !status->has_address)
        others_tell(to, status->reading.state.path, "status");
    if (!status->json)
        faults_tell(&status->reading.model, to, "");
    reading_drop(&status->reading);
    return result;
}

/* Gathered first, because what is drawn in place must be cut to it. Returns false when the terminal is gone.
 */
static bool draw(struct status *status)
{
    char *page = NULL;
    size_t length;
    FILE *to = open_memstream(&page, &length);

    if (!to)
        output_die("out of memory");
    show(status, to);
    bool is_there = fclose(to) == 0 && screen_draw(page);
    free(page);
    return is_there;
}

/* In a pipe the pages follow each other, as JSON a line each. */
static int watch(struct status *status)
{
    bool is_drawn = screen_columns(stdout) && !status->json;

    if (is_drawn)
        output_fix_color(stdout);
    for (;;) {
        if (is_drawn && !draw(status))
            return TOOL_FAULTS;
        if (!is_drawn && show(status, stdout) != TOOL_FINE && !status->has_address)
            return TOOL_FAULTS;
        if (!is_drawn && !status->json)
            putchar('\n');
        if (fflush(stdout) != 0)
            return TOOL_FAULTS;
        screen_pause((uint32_t)status->every_ms);
    }
}

/* What is wrong with the options, or NULL. */
static const char *judge(struct status *status, const struct options *options)
{
    const char *fault = options->count ? address_parse(&status->address, options->operands[0]) : NULL;

    status->has_address = options->count > 0;
    if (fault)
        return fault;
    if (status->sort && !sorting_find(status->sort, &status->order))
        return "--sort takes host, circuit, calls, attempts, retries, rescued, rejected, failed, p50 or p99";
    if (status->watch && status->watch[0] &&
        (!value_decimal(status->watch, strlen(status->watch), 3, &status->every_ms) ||
         status->every_ms < 100 || status->every_ms > 3600000))
        return "--watch takes seconds, from 0.1 to 3600";
    return NULL;
}

int tool_status(const struct tool_verb *verb, int argc, char **argv)
{
    struct status status = {.every_ms = 1000};
    const struct options_entry entries[] = {
        {"json",  0,   OPTIONS_FLAG,  &status.json      },
        {"watch", 'w', OPTIONS_MAYBE, &status.watch     },
        {"sort",  0,   OPTIONS_TEXT,  &status.sort      },
        {"state", 0,   OPTIONS_TEXT,  &status.state_path},
        {NULL,    0,   OPTIONS_FLAG,  NULL              },
    };
    struct options options = {.verb = verb, .most = 1};

    int result = options_read(&options, entries, argc, argv);
    if (result != OPTIONS_GO)
        return result;
    const char *fault = judge(&status, &options);
    if (fault)
        return options_misused(verb, "%s", fault);
    if (reading_begin(&status.reading, status.state_path) < 0)
        return TOOL_FAULTS;
    result = status.watch ? watch(&status) : show(&status, stdout);
    reading_end(&status.reading);
    return result;
}
