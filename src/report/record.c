#include "report/record.h"

#include <string.h>
#include <unistd.h>

#include "core/method.h"
#include "report/log.h"

atomic_bool record_is_open;

static char file[1024];
static _Atomic uint64_t last_number;

void record_open(const char *path)
{
    size_t length = path && path[0] == '/' ? strlen(path) : 0;

    if (length == 0 || length >= sizeof file)
        return;
    memcpy(file, path, length + 1);
    atomic_store_explicit(&record_is_open, true, memory_order_release);
}

uint64_t record_number(void)
{
    return atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed) + 1;
}

/* What is not there is not written. */
static void put_some(struct log_line *line, const char *name, int64_t number)
{
    if (number > 0)
        log_number(line, name, number);
}

void record_put(const struct record_entry *entry)
{
    const struct outcome *outcome = &entry->outcome;
    struct log_line line;

    log_begin_bare(&line);
    log_number(&line, "pid", getpid());
    log_number(&line, "call", (int64_t)entry->call);
    log_text(&line, "host", entry->host);
    log_text(&line, "policy", entry->policy);
    if (entry->method)
        log_text(&line, "method", method_name(entry->method));
    log_number(&line, "opened_us", (int64_t)entry->opened_us);
    log_number(&line, "attempt", entry->attempt);
    log_number(&line, "began_us", (int64_t)entry->began_us);
    log_number(&line, "ended_us", (int64_t)entry->ended_us);
    put_some(&line, "hedged_us", (int64_t)entry->hedged_us);
    log_text(&line, "outcome", outcome_type_name(outcome->type));
    put_some(&line, "status", outcome->status);
    put_some(&line, "curl", outcome->curl);
    put_some(&line, "errno", outcome->os_error);
    put_some(&line, "retry_after_ms", entry->retry_after_ms);
    put_some(&line, "sent", entry->sent);
    put_some(&line, "idempotent", entry->idempotent);
    put_some(&line, "elsewhere", entry->is_elsewhere);
    put_some(&line, "shadow", entry->shadow);
    log_write(&line, file);
}
