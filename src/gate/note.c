#include "gate/note.h"

#include <string.h>

#include "report/histogram.h"
#include "report/log.h"
#include "report/record.h"
#include "sys/clock.h"
#include "sys/raw.h"

void note_count(struct gate_call *call, enum layout_counter counter)
{
    atomic_fetch_add_explicit(&call->slot->counters[counter], 1, memory_order_relaxed);
    if (call->tally)
        atomic_fetch_add_explicit(&call->tally->counters[counter], 1, memory_order_relaxed);
}

void note_error(struct gate_call *call)
{
    _Static_assert((int)OUTCOME_TYPES - 1 <= (int)LAYOUT_ERRORS, "room for the error types");
    unsigned type = call->outcome.type;

    if (type == OUTCOME_SUCCESS || type >= OUTCOME_TYPES)
        return;
    atomic_fetch_add_explicit(&call->slot->errors[type - 1], 1, memory_order_relaxed);
    if (call->tally)
        atomic_fetch_add_explicit(&call->tally->errors[type - 1], 1, memory_order_relaxed);
}

void note_latency(struct gate_call *call, uint64_t us)
{
    histogram_add(call->slot->latency, us);
    if (call->tally)
        histogram_add(call->tally->latency, us);
}

static const struct {
    enum log_level level;
    const char *sentence;
} told[EVENTS_KINDS] = {
    [EVENTS_RETRY] = {LOG_INFO, "the attempt failed, another follows"                    },
    [EVENTS_EXHAUSTED] = {LOG_WARN, "no tries left"                                          },
    [EVENTS_UNFUNDED] = {LOG_WARN, "not tried again, the retry budget of this host is spent"},
    [EVENTS_RESCUED] = {LOG_INFO, "the call ended well after a retry"                      },
    [EVENTS_REJECTED] = {LOG_WARN, "refused, the circuit is open"                           },
    [EVENTS_LIMITED] = {LOG_WARN, "refused by the rate limit"                              },
    [EVENTS_CROWDED] = {LOG_WARN, "refused, as many calls as may be are in flight"         },
    [EVENTS_WAITS] = {LOG_INFO, "kept waiting before it may go"                          },
    [EVENTS_OFFLINE] = {LOG_WARN, "every host fails, this machine has lost its network"    },
    [EVENTS_LATE] = {LOG_WARN, "refused, the deadline of the run has passed"            },
    [EVENTS_OPENED] = {LOG_WARN, "the circuit opened"                                     },
    [EVENTS_PROBE] = {LOG_INFO, "the circuit is half open, this call probes"             },
    [EVENTS_FAULT] = {LOG_WARN, "a rehearsed fault struck the attempt"                   },
    [EVENTS_RESUMED] = {LOG_INFO, "the body broke off, the next attempt goes on with it"   },
    [EVENTS_STALE] = {LOG_WARN, "the program was given an earlier reply"                 },
    [EVENTS_FALLBACK] = {LOG_WARN, "the program was given the rule's fallback"              },
    [EVENTS_HEDGED] = {LOG_INFO, "not answered yet, made a second time side by side"      },
    [EVENTS_CLOSED] = {LOG_WARN, "the circuit closed"                                     },
};

/* The number that people know the outcome by: a status, else libcurl's code, else errno. */
static uint16_t code_of(const struct outcome *outcome)
{
    if (outcome->status)
        return outcome->status;
    return outcome->curl ? outcome->curl : outcome->os_error;
}

static void add_outcome(struct log_line *line, const struct gate_call *call)
{
    const struct outcome *outcome = &call->outcome;

    log_text(line, "host", call->host);
    log_text(line, "policy", call->policy->name);
    log_number(line, "attempt", call->attempt);
    if (outcome->type != OUTCOME_SUCCESS)
        log_text(line, "error", outcome_type_name(outcome->type));
    if (outcome->status)
        log_number(line, "status", outcome->status);
    if (outcome->curl)
        log_number(line, "curl", outcome->curl);
    if (outcome->os_error)
        log_number(line, "errno", outcome->os_error);
    if (call->shadow)
        log_number(line, "shadow", 1);
}

static void put_event(struct gate_call *call, enum events_kind kind, uint32_t detail)
{
    struct ready *ready = gate_ready(false);
    struct events_entry entry = {.unix_ms = clock_unix_ms(),
                                 .key = call->key,
                                 .pid = (uint32_t)sys_getpid(),
                                 .detail = detail,
                                 .kind = kind,
                                 .outcome = call->outcome.type,
                                 .attempt = call->attempt,
                                 .status = code_of(&call->outcome),
                                 .shadow = call->shadow};
    size_t length = strnlen(call->host, sizeof entry.host - 1);

    if (!ready)
        return;
    memcpy(entry.host, call->host, length);
    entry.host[length] = '\0';
    events_put(&ready->state, &entry);
}

void note_event(struct gate_call *call, enum events_kind kind, uint32_t detail)
{
    put_event(call, kind, detail);
    if (!log_wants(told[kind].level))
        return;
    struct log_line line;
    log_begin(&line, told[kind].level, events_kind_name(kind), told[kind].sentence);
    add_outcome(&line, call);
    log_number(&line, "ms", detail);
    log_end(&line);
}

static void log_call(const struct gate_call *call, const char *event, const char *sentence)
{
    struct log_line line;

    if (!log_wants(LOG_DEBUG))
        return;
    log_begin(&line, LOG_DEBUG, event, sentence);
    add_outcome(&line, call);
    log_end(&line);
}

void note_request(struct gate_call *call)
{
    log_call(call, "request", "a rule matches this call");
}

void note_response(struct gate_call *call)
{
    log_call(call, "response", "the attempt ended");
}

static __attribute__((noinline)) void put_record(struct gate_call *call, const struct gate_attempt *attempt)
{
    bool is_later = call->attempt > 1 || call->has_waited;
    bool is_hedged = call->attempt == 1 && call->raced_us && call->raced_us >= call->opened_us;

    if (call->attempt <= 1)
        call->number = record_number();
    record_put(&(struct record_entry){
        .call = call->number,
        .opened_us = call->opened_us,
        .began_us = is_later ? call->began_us : call->opened_us,
        .ended_us = clock_now_us(),
        .hedged_us = is_hedged ? call->raced_us : 0,
        .host = call->host,
        .policy = call->policy->name,
        .method = call->method,
        .attempt = call->attempt,
        .shadow = call->shadow,
        .sent = attempt && attempt->sent,
        .idempotent = attempt && attempt->idempotent,
        .is_elsewhere = attempt && attempt->is_elsewhere,
        .retry_after_ms = attempt ? attempt->retry_after_ms : -1,
        .outcome = call->outcome,
    });
}

void note_attempt(struct gate_call *call, const struct gate_attempt *attempt)
{
    if (record_wants())
        put_record(call, attempt);
}
