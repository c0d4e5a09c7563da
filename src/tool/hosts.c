#include "tool/hosts.h"

#include "core/breaker.h"
#include "core/retry.h"
#include "tool/figures.h"
#include "tool/json.h"

static void write_circuit(struct json *json, const struct snapshot *host, uint64_t now_ms)
{
    uint64_t remaining_ms = breaker_remaining_ms(host->circuit, now_ms), held_ms;
    bool is_open = breaker_state(host->circuit) == BREAKER_OPEN;

    json_text(json, "circuit", breaker_state_name(breaker_state(host->circuit)));
    if (is_open && remaining_ms != UINT64_MAX)
        json_number(json, "probe_in_ms", remaining_ms);
    else
        json_null(json, "probe_in_ms");
    json_bool(json, "until_reset", is_open && remaining_ms == UINT64_MAX);
    json_bool(json, "held", breaker_is_held(host->circuit, now_ms, &held_ms));
    json_bool(json, "elsewhere", snapshot_is_followed(host));
    json_number(json, "failures_in_a_row", breaker_failures(host->circuit));
}

static void write_windows(struct reading *reading, struct json *json, const struct snapshot *host,
                          uint64_t now_ms)
{
    uint32_t ms = reading_window_ms(reading, host);
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

void hosts_write(FILE *to, struct reading *reading)
{
    const struct snapshot_list *list = &reading->hosts;
    struct json json = {.to = to};
    uint64_t now_ms = reading->now_us / 1000;

    json_object(&json, NULL);
    json_text(&json, "state", reading->state.path);
    json_bool(&json, "exists", reading->exists);
    if (reading->exists) {
        json_text(&json, "mode", reading_mode(reading));
        json_number(&json, "switched_hosts", reading_switched_hosts(reading));
        json_number(&json, "unprotected", reading_unprotected(reading));
    }
    json_array(&json, "hosts");
    for (unsigned i = 0; i < list->count; i++) {
        const struct snapshot *host = &list->items[i];
        json_object(&json, NULL);
        json_text(&json, "host", host->host);
        json_text(&json, "policy", host->policy);
        json_bool(&json, "shadow", host->is_shadow);
        json_text(&json, "mode", reading_host_mode(reading, host));
        write_circuit(&json, host, now_ms);
        figures_write(&json, host);
        write_windows(reading, &json, host, now_ms);
        struct tokens tokens = reading_tokens(reading, host);
        tokens_write(&json, &tokens);
        json_number(&json, "in_flight", host->in_flight);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    fputc('\n', to);
}
