/* What the shared state knows of each host: a table, one host in full, or JSON. */
#include <unistd.h>

#include "core/breaker.h"
#include "core/outcome.h"
#include "sys/clock.h"
#include "tool/figures.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/reading.h"

struct status {
    const char *state_path;
    bool json, watch;
    bool has_address;
    struct address address;
    struct reading reading;
};

static enum output_style style_of(const struct snapshot *host)
{
    switch (breaker_state(host->circuit)) {
    case BREAKER_CLOSED:
        return OUTPUT_GOOD;
    case BREAKER_OPEN:
        return OUTPUT_BAD;
    case BREAKER_HALF_OPEN:
        return OUTPUT_DOUBTFUL;
    }
    return OUTPUT_PLAIN;
}

/* ---- the table ---- */

static void print_table(struct status *status)
{
    const struct snapshot_list *list = &status->reading.hosts;
    static const struct grid_column columns[] = {
        {"HOST",    false},
        {"POLICY",  false},
        {"CIRCUIT", false},
        FIGURES_COLUMNS, {"TOKENS",  true },
    };
    uint64_t now_ms = status->reading.now_us / 1000;
    struct grid grid;
    char circuit[SNAPSHOT_CIRCUIT];

    printf("%s%s: %u %s, mode %s", output_style(stdout, OUTPUT_DIM), status->reading.state.path, list->count,
           list->count == 1 ? "host" : "hosts", reading_mode(&status->reading));
    if (reading_unprotected(&status->reading))
        printf(", %llu unprotected", (unsigned long long)reading_unprotected(&status->reading));
    printf("%s\n", output_style(stdout, OUTPUT_PLAIN));
    if (list->count == 0)
        return;
    grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        grid_add(&grid, OUTPUT_PLAIN, "%s", host->host);
        grid_add(&grid, OUTPUT_PLAIN, "%s%s", snapshot_policy(host), host->is_shadow ? " (shadow)" : "");
        grid_add(&grid, style_of(host), "%s", snapshot_circuit(host, now_ms, circuit));
        figures_add(&grid, host);
        struct tokens tokens = reading_tokens(&status->reading, host);
        tokens_add(&grid, &tokens);
    }
    grid_print(&grid, stdout);
    grid_clear(&grid);
    figures_print_note(list, stdout);
}

/* ---- one host in full ---- */

static void print_window(struct status *status, const struct snapshot *host, uint64_t now_ms)
{
    uint32_t ms = reading_window_ms(&status->reading, host);
    char duration[OUTPUT_NUMBER];

    if (ms == 0) {
        puts(host->policy[0]
                 ? "  window    not known: the policy is none of the configuration that holds here"
                 : "  window    not known: all policies of the host share this circuit");
        return;
    }
    struct window_sum sum = snapshot_window(host->outcomes, ms, now_ms);
    printf("  window    %u attempts, %u failed, in the last %s", sum.all, sum.marked,
           output_duration((uint64_t)ms * 1000, duration));
    if (sum.all)
        printf(" (%.1f %%)", 100.0 * sum.marked / sum.all);
    printf("; %u failures in a row\n", breaker_failures(host->circuit));
}

static void print_latency(const struct snapshot *host)
{
    char p50[OUTPUT_NUMBER], p90[OUTPUT_NUMBER], p99[OUTPUT_NUMBER];

    if (!snapshot_latency_us(host, 0.5)) {
        puts("  latency   no call has ended yet");
        return;
    }
    printf("  latency   p50 %s, p90 %s, p99 %s, of whole calls\n",
           output_duration(snapshot_latency_us(host, 0.5), p50),
           output_duration(snapshot_latency_us(host, 0.9), p90),
           output_duration(snapshot_latency_us(host, 0.99), p99));
}

static void print_counters(const struct snapshot *host)
{
#define X(name) #name,
    static const char *const names[] = {LAYOUT_COUNTERS(X)};
#undef X
    const char *before = "  counted  ";

    for (unsigned i = 0; i < LAYOUT_COUNTERS_USED; i++) {
        if (host->counters[i] == 0)
            continue;
        printf("%s %s %llu", before, names[i], (unsigned long long)host->counters[i]);
        before = ",";
    }
    puts(before[0] == ',' ? "" : "  counted   nothing yet");
}

static void print_errors(const struct snapshot *host)
{
    const char *before = "  errors   ";

    for (unsigned type = 1; type < OUTCOME_TYPES; type++) {
        if (host->errors[type - 1] == 0)
            continue;
        printf("%s %s %u", before, outcome_type_name(type), host->errors[type - 1]);
        before = ",";
    }
    if (before[0] == ',')
        putchar('\n');
}

static void print_host(struct status *status, struct snapshot *host)
{
    uint64_t now_ms = status->reading.now_us / 1000;
    char circuit[SNAPSHOT_CIRCUIT];
    struct window_sum budget = snapshot_window(host->budget, RETRY_BUDGET_WINDOW_MS, now_ms);
    struct tokens tokens = reading_tokens(&status->reading, host);

    printf("%s%s%s, policy %s%s\n", output_style(stdout, OUTPUT_BOLD), output_clean(host->host),
           output_style(stdout, OUTPUT_PLAIN), output_clean((char *)(uintptr_t)snapshot_policy(host)),
           host->is_shadow ? " (shadow: counted, not done)" : "");
    printf("  circuit   %s%s%s\n", output_style(stdout, style_of(host)),
           snapshot_circuit(host, now_ms, circuit), output_style(stdout, OUTPUT_PLAIN));
    print_window(status, host, now_ms);
    printf("  budget    %u retries for %u calls in the last 10 s\n", budget.marked, budget.all);
    tokens_print(&tokens, stdout);
    print_latency(host);
    print_counters(host);
    print_errors(host);
}

/* ---- JSON ---- */

static void write_circuit(struct json *json, const struct snapshot *host, uint64_t now_ms)
{
    uint64_t remaining_ms = breaker_remaining_ms(host->circuit, now_ms);
    bool is_open = breaker_state(host->circuit) == BREAKER_OPEN;

    json_text(json, "circuit", breaker_state_name(breaker_state(host->circuit)));
    if (is_open && remaining_ms != UINT64_MAX)
        json_number(json, "probe_in_ms", remaining_ms);
    else
        json_null(json, "probe_in_ms");
    json_bool(json, "until_reset", is_open && remaining_ms == UINT64_MAX);
    json_number(json, "failures_in_a_row", breaker_failures(host->circuit));
}

static void write_windows(struct status *status, struct json *json, const struct snapshot *host,
                          uint64_t now_ms)
{
    uint32_t ms = reading_window_ms(&status->reading, host);
    struct window_sum budget = snapshot_window(host->budget, RETRY_BUDGET_WINDOW_MS, now_ms);

    if (ms) {
        struct window_sum window = snapshot_window(host->outcomes, ms, now_ms);
        json_object(json, "window");
        json_number(json, "ms", ms);
        json_number(json, "attempts", window.all);
        json_number(json, "failures", window.marked);
        json_end_object(json);
    } else {
        json_null(json, "window");
    }
    json_object(json, "budget");
    json_number(json, "ms", RETRY_BUDGET_WINDOW_MS);
    json_number(json, "calls", budget.all);
    json_number(json, "retries", budget.marked);
    json_end_object(json);
}

static void write_all(struct status *status)
{
    const struct snapshot_list *list = &status->reading.hosts;
    struct json json = {.to = stdout};
    uint64_t now_ms = status->reading.now_us / 1000;

    json_object(&json, NULL);
    json_text(&json, "state", status->reading.state.path);
    json_bool(&json, "exists", status->reading.exists);
    if (status->reading.exists) {
        json_text(&json, "mode", reading_mode(&status->reading));
        json_number(&json, "unprotected", reading_unprotected(&status->reading));
    }
    json_array(&json, "hosts");
    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        json_object(&json, NULL);
        json_text(&json, "host", host->host);
        json_text(&json, "policy", host->policy);
        json_bool(&json, "shadow", host->is_shadow);
        write_circuit(&json, host, now_ms);
        figures_write(&json, host);
        write_windows(status, &json, host, now_ms);
        struct tokens tokens = reading_tokens(&status->reading, host);
        tokens_write(&json, &tokens);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    putchar('\n');
}

/* ---- the verb ---- */

static int show(struct status *status)
{
    const struct snapshot_list *list = &status->reading.hosts;

    if (reading_take(&status->reading, status->has_address ? &status->address : NULL) < 0)
        return TOOL_FAULTS;
    int result = status->has_address && list->count == 0 ? TOOL_FAULTS : TOOL_FINE;
    if (status->json)
        write_all(status);
    else if (!status->reading.exists)
        open_say_none(&status->reading.state);
    else if (result != TOOL_FINE)
        output_error("status: that host is not known in %s; `gusset status` lists those that are",
                     status->reading.state.path);
    else if (!status->has_address)
        print_table(status);
    else
        for (unsigned i = 0; i < list->count; i++)
            print_host(status, &list->items[i]);
    reading_drop(&status->reading);
    return result;
}

static int watch(struct status *status)
{
    for (;;) {
        if (isatty(STDOUT_FILENO) && !status->json)
            fputs("\033[H\033[J", stdout);
        show(status);
        if (fflush(stdout) != 0)
            return TOOL_FAULTS;
        clock_sleep_ms(1000);
    }
}

int tool_status(const struct tool_verb *verb, int argc, char **argv)
{
    struct status status = {.state_path = NULL};
    const struct options_entry entries[] = {
        {"json",  0,   OPTIONS_FLAG, &status.json      },
        {"watch", 'w', OPTIONS_FLAG, &status.watch     },
        {"state", 0,   OPTIONS_TEXT, &status.state_path},
        {NULL,    0,   OPTIONS_FLAG, NULL              },
    };
    struct options options = {.verb = verb, .most = 1};

    int result = options_read(&options, entries, argc, argv);
    if (result != OPTIONS_GO)
        return result;
    if (options.count) {
        const char *fault = address_parse(&status.address, options.operands[0]);
        if (fault)
            return options_misused(verb, "%s", fault);
        status.has_address = true;
    }
    if (reading_begin(&status.reading, status.state_path) < 0)
        return TOOL_FAULTS;
    result = status.watch ? watch(&status) : show(&status);
    reading_end(&status.reading);
    return result;
}
