/* What the shared state knows of each host: a table, one host in full, or JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/preset.h"
#include "core/breaker.h"
#include "state/control.h"
#include "sys/clock.h"
#include "tool/faults.h"
#include "tool/figures.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/setup.h"
#include "tool/tokens.h"

struct status {
    const char *state_path;
    bool json, watch;
    bool has_address;
    struct address address;
    struct open_state state;
    struct snapshot_list buckets;
    struct model model; /* for the windows and limits that the policies set */
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

/* The policy of this name where it has the group; NULL when it has not, or is unknown here. */
static const struct policy *policy_with(struct status *status, const struct snapshot *host,
                                        enum policy_group group)
{
    uint32_t index = model_find_policy(&status->model, host->policy);

    if (index == (uint32_t)MODEL_NONE)
        index = preset_add(&status->model, host->policy);
    if (index == (uint32_t)MODEL_NONE)
        return NULL;
    const struct policy *values = &model_policy(&status->model, index)->values;
    return values->groups & group ? values : NULL;
}

/* The window that the policy counts failures in; 0 when it is not known. */
static uint32_t window_ms(struct status *status, const struct snapshot *host)
{
    const struct policy *policy = policy_with(status, host, POLICY_BREAKER);
    return policy ? policy->breaker.rule.window_ms : 0;
}

static struct tokens tokens_of(struct status *status, const struct snapshot *host)
{
    const struct policy *policy = policy_with(status, host, POLICY_LIMIT);
    return (struct tokens){policy ? &policy->limit.rule : NULL, host, &status->buckets, clock_now_us()};
}

static const char *switched_mode(const struct status *status)
{
    static const char *const names[] = {"as configured", "enforce", "shadow", "off"};
    uint64_t mode = control_switch(control_word(status->state.map.header));
    return names[mode < sizeof names / sizeof *names ? mode : 0];
}

/* Connects that no rule meant, of all processes. */
static uint64_t unprotected(const struct status *status)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < LAYOUT_UNPROTECTED; i++)
        sum += atomic_load(&status->state.map.header->unprotected[i].count);
    return sum;
}

/* ---- the table ---- */

static void print_table(struct status *status, const struct snapshot_list *list)
{
    static const struct grid_column columns[] = {
        {"HOST",    false},
        {"POLICY",  false},
        {"CIRCUIT", false},
        FIGURES_COLUMNS, {"TOKENS",  true },
    };
    uint64_t now_ms = clock_now_us() / 1000;
    struct grid grid;
    char circuit[SNAPSHOT_CIRCUIT];

    printf("%s%s: %u %s, mode %s", output_style(stdout, OUTPUT_DIM), status->state.path, list->count,
           list->count == 1 ? "host" : "hosts", switched_mode(status));
    if (unprotected(status))
        printf(", %llu unprotected", (unsigned long long)unprotected(status));
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
        struct tokens tokens = tokens_of(status, host);
        tokens_add(&grid, &tokens);
    }
    grid_print(&grid, stdout);
    grid_clear(&grid);
    figures_print_note(list, stdout);
}

/* ---- one host in full ---- */

static void print_window(struct status *status, const struct snapshot *host, uint64_t now_ms)
{
    uint32_t ms = window_ms(status, host);
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

static void print_host(struct status *status, struct snapshot *host)
{
    uint64_t now_ms = clock_now_us() / 1000;
    char circuit[SNAPSHOT_CIRCUIT];
    struct window_sum budget = snapshot_window(host->budget, RETRY_BUDGET_WINDOW_MS, now_ms);
    struct tokens tokens = tokens_of(status, host);

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
    uint32_t ms = window_ms(status, host);
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

static void write_all(struct status *status, const struct snapshot_list *list)
{
    struct json json = {.to = stdout};
    uint64_t now_ms = clock_now_us() / 1000;

    json_object(&json, NULL);
    json_text(&json, "state", status->state.path);
    json_bool(&json, "exists", status->state.map.header != NULL);
    if (status->state.map.header) {
        json_text(&json, "mode", switched_mode(status));
        json_number(&json, "unprotected", unprotected(status));
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
        struct tokens tokens = tokens_of(status, host);
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
    struct snapshot_list list = {0};
    int result = TOOL_FINE;

    int error = open_existing(&status->state);
    if (error < 0 && error != -ENOENT)
        return TOOL_FAULTS;
    if (error == 0) {
        const struct address *address = status->has_address ? &status->address : NULL;
        snapshot_take(&list, &status->state.map, address, NULL);
        snapshot_take_buckets(&status->buckets, &status->state.map, address);
    }
    if (status->has_address && list.count == 0)
        result = TOOL_FAULTS;
    if (status->json)
        write_all(status, &list);
    else if (error == -ENOENT)
        open_say_none(&status->state);
    else if (result != TOOL_FINE)
        output_error("status: that host is not known in %s; `gusset status` lists those that are",
                     status->state.path);
    else if (!status->has_address)
        print_table(status, &list);
    else
        for (unsigned i = 0; i < list.count; i++)
            print_host(status, &list.items[i]);
    if (!status->json)
        faults_tell(&status->model, stdout, "");
    snapshot_clear(&list);
    snapshot_clear(&status->buckets);
    map_close(&status->state.map);
    return result;
}

/* Opened anew each time, because the file may come, go, or be replaced meanwhile. */
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
    struct setup setup = {.config = NULL};

    int result = options_read(&options, entries, argc, argv);
    if (result != OPTIONS_GO)
        return result;
    if (options.count) {
        const char *fault = address_parse(&status.address, options.operands[0]);
        if (fault)
            return options_misused(verb, "%s", fault);
        status.has_address = true;
    }
    if (open_find(&status.state, status.state_path) < 0)
        return TOOL_FAULTS;
    setup_model_or_empty(&setup, &status.model);
    result = status.watch ? watch(&status) : show(&status);
    model_clear(&status.model);
    return result;
}
