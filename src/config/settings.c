#include "config/settings.h"

#include <errno.h>
#include <string.h>

#include "config/value.h"
#include "core/method.h"
#include "core/timestamp.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND, DAY = 24 * HOUR, WEEK = 7 * DAY };

#define FAILURES "connect, timeout, reset, 502, 503, 504"

static const struct settings_choice modes[] = {
    {"enforce", POLICY_ENFORCE},
    {"shadow",  POLICY_SHADOW },
    {"off",     POLICY_OFF    },
    {NULL,      0             }
};

/* The numbers are those of report/log.h, which lies beside this folder and not under it. */
static const struct settings_choice levels[] = {
    {"off",   0},
    {"error", 1},
    {"warn",  2},
    {"info",  3},
    {"debug", 4},
    {NULL,    0}
};
static const struct settings_choice formats[] = {
    {"logfmt", 0},
    {"json",   1},
    {NULL,     0}
};

static const struct settings_choice jitters[] = {
    {"none",         RETRY_JITTER_NONE        },
    {"additive",     RETRY_JITTER_ADDITIVE    },
    {"equal",        RETRY_JITTER_EQUAL       },
    {"full",         RETRY_JITTER_FULL        },
    {"decorrelated", RETRY_JITTER_DECORRELATED},
    {NULL,           0                        }
};

static const struct settings_choice errnos[] = {
    {"ECONNREFUSED", ECONNREFUSED},
    {"ETIMEDOUT",    ETIMEDOUT   },
    {"EHOSTUNREACH", EHOSTUNREACH},
    {NULL,           0           }
};

static const struct settings_choice scopes[] = {
    {"policy", POLICY_SCOPE_POLICY},
    {"host",   POLICY_SCOPE_HOST  },
    {NULL,     0                  }
};

static const struct settings_choice circuit_rejects[] = {
    {"error", POLICY_REJECT_ERROR},
    {"503",   POLICY_REJECT_REPLY},
    {"wait",  POLICY_REJECT_WAIT },
    {NULL,    0                  }
};
static const struct settings_choice limit_rejects[] = {
    {"error", POLICY_REJECT_ERROR},
    {"429",   POLICY_REJECT_REPLY},
    {NULL,    0                  }
};

static const struct settings_choice errors[] = {
    {"none",    REHEARSAL_NONE   },
    {"refuse",  REHEARSAL_REFUSE },
    {"reset",   REHEARSAL_RESET  },
    {"timeout", REHEARSAL_TIMEOUT},
    {"cut",     REHEARSAL_CUT    },
    {NULL,      0                }
};

static const struct settings_choice propagated[] = {
    {"request_id",  POLICY_REQUEST_ID },
    {"tenant_id",   POLICY_TENANT_ID  },
    {"project_id",  POLICY_PROJECT_ID },
    {"traceparent", POLICY_TRACEPARENT},
    {NULL,          0                 }
};

static const struct settings_choice hosts[] = {
    {"service", SETTINGS_HOST_SERVICE},
    {"asked",   SETTINGS_HOST_ASKED  },
    {NULL,      0                    }
};
static const struct settings_choice checks[] = {
    {"http", SETTINGS_HEALTH_HTTP},
    {"tcp",  SETTINGS_HEALTH_TCP },
    {"tls",  SETTINGS_HEALTH_TLS },
    {NULL,   0                   }
};

#define FILE_AT(field)    SETTINGS_OF_FILE, 0, 0, offsetof(struct settings_globals, field)
#define SERVICE_AT(field) SETTINGS_OF_SERVICE, 0, 0, offsetof(struct settings_service, field)
#define AT(group, field)  SETTINGS_OF_POLICY, POLICY_##group, 0, offsetof(struct policy, field)

/* clang-format off */
static const struct settings_entry table[] = {
    {"version", SETTINGS_COUNT, FILE_AT(version), 1, 1, "1", NULL,
     "version of the file's language"},
    {"mode", SETTINGS_CHOICE, FILE_AT(mode), 0, 0, "enforce", modes,
     "enforce: act; shadow: count what would have been done and change nothing; off: do nothing"},
    {"locked", SETTINGS_BOOL, FILE_AT(locked), 0, 1, "false", NULL,
     "in /etc/gusset/gusset.cfg only: no other file counts"},
    {"faults", SETTINGS_BOOL, FILE_AT(faults), 0, 1, "false", NULL,
     "fault groups act; otherwise they are read and do nothing"},
    {"log.level", SETTINGS_CHOICE, FILE_AT(log_level), 0, 0, "off", levels,
     "the most talkative level that is written"},
    {"log.target", SETTINGS_TEXT, FILE_AT(log_target), 0, 0, "stderr", NULL,
     "stderr, syslog or the absolute path of a file"},
    {"log.format", SETTINGS_CHOICE, FILE_AT(log_format), 0, 0, "logfmt", formats,
     "form of a line"},
    {"state.path", SETTINGS_TEXT, FILE_AT(state_path), 0, 0, "", NULL,
     "file of the shared state; empty for the user's own"},
    {"state.hosts", SETTINGS_COUNT, FILE_AT(state_hosts), 64, 1 << 20, "4096", NULL,
     "hosts that a new state file has room for"},
    {"context.request_id", SETTINGS_TEXT, FILE_AT(request_id), 0, 0, "${GUSSET_REQUEST_ID:-}", NULL,
     "request id that calls carry; where empty one is made for each call"},
    {"context.tenant_id", SETTINGS_TEXT, FILE_AT(tenant_id), 0, 0, "${GUSSET_TENANT_ID:-}", NULL,
     "tenant that calls carry; no header where empty"},
    {"context.project_id", SETTINGS_TEXT, FILE_AT(project_id), 0, 0, "${GUSSET_PROJECT_ID:-}", NULL,
     "project that calls carry; no header where empty"},

    {"timeout.connect", SETTINGS_DURATION, AT(TIMEOUT, timeout.connect_ms), 0, WEEK, "5s", NULL,
     "longest time to be connected; 0s: none"},
    {"timeout.attempt", SETTINGS_DURATION, AT(TIMEOUT, timeout.attempt_ms), 0, WEEK, "30s", NULL,
     "longest time from the last byte sent to the first byte of the reply; 0s: none"},
    {"timeout.total", SETTINGS_DURATION, AT(TIMEOUT, timeout.total_ms), 0, WEEK, "90s", NULL,
     "longest time for all attempts and waits until a reply begins; 0s: none"},
    {"timeout.idle", SETTINGS_DURATION, AT(TIMEOUT, timeout.idle_ms), 0, WEEK, "0s", NULL,
     "longest silence while a body flows; 0s: none"},
    {"timeout.transfer", SETTINGS_DURATION, AT(TIMEOUT, timeout.transfer_ms), 0, WEEK, "0s", NULL,
     "longest time for the whole call, body included; 0s: none"},

    {"retry.attempts", SETTINGS_COUNT, AT(RETRY, retry.attempts), 1, 100, "3", NULL,
     "tries in all, the first included"},
    {"retry.retries", SETTINGS_COUNT, SETTINGS_OF_POLICY, POLICY_RETRY, 1,
     offsetof(struct policy, retry.attempts), 1, 100, "2", NULL,
     "tries after the first; says the same as attempts"},
    {"retry.backoff.base", SETTINGS_DURATION, AT(RETRY, retry.base_ms), 0, HOUR, "500ms", NULL,
     "wait before the second try"},
    {"retry.backoff.factor", SETTINGS_DECIMAL, AT(RETRY, retry.factor_milli), 1000, 100000, "2.0", NULL,
     "each further wait grows by this"},
    {"retry.backoff.cap", SETTINGS_DURATION, AT(RETRY, retry.cap_ms), 0, DAY, "5s", NULL,
     "no wait is longer"},
    {"retry.backoff.jitter", SETTINGS_CHOICE, AT(RETRY, retry.jitter), 0, 0, "full", jitters,
     "how chance spreads the waits"},
    {"retry.backoff.amount", SETTINGS_PERCENT, AT(RETRY, retry.amount_bp), 0, 10000, "10", NULL,
     "additive jitter: up to this much more"},
    {"retry.on", SETTINGS_OUTCOMES, AT(RETRY, retry.on), 0, 0,
     "connect, timeout, reset, 429, 502, 503, 504", NULL,
     "outcomes that are tried again: error types, CURLE_ names, statuses, classes such as 5xx"},
    {"retry.never", SETTINGS_OUTCOMES, AT(RETRY, retry.never), 0, 0, "", NULL,
     "outcomes that are not; wins over on"},
    {"retry.methods", SETTINGS_METHODS, AT(RETRY, retry.methods), 0, 0,
     "GET, HEAD, OPTIONS, PUT, DELETE, TRACE", NULL,
     "methods that may be repeated after the request left the machine"},
    {"retry.retry_after", SETTINGS_DURATION, AT(RETRY, retry.retry_after_ms), 0, DAY, "60s", NULL,
     "honour Retry-After up to this; 0s: ignore it"},
    {"retry.idempotency_key", SETTINGS_BOOL, AT(RETRY, retry.makes_key), 0, 1, "false", NULL,
     "requests of other methods get an Idempotency-Key, the same for all tries, and may be repeated, too"},
    {"retry.budget.ratio", SETTINGS_PERCENT, AT(RETRY, retry.budget_ratio_bp), 0, 10000, "20", NULL,
     "retries that a host's calls pay for, of all processes together"},
    {"retry.budget.floor", SETTINGS_COUNT, AT(RETRY, retry.budget_floor), 0, 1000000, "10", NULL,
     "retries a second that are always allowed"},
    {"retry.resume", SETTINGS_BOOL, AT(RETRY, retry.resumes), 0, 1, "false", NULL,
     "a body that broke off is continued, where it can be exact"},
    {"retry.wait", SETTINGS_DURATION, AT(RETRY, retry.hold_ms), 0, HOUR, "0s", NULL,
     "how long connect(2) on a non-blocking socket may hold the program to try again; 0s: not at all"},

    {"breaker.consecutive", SETTINGS_COUNT, AT(BREAKER, breaker.rule.consecutive), 0, 4000, "5", NULL,
     "failures in a row that open while the window holds fewer than rate.minimum; 0: off"},
    {"breaker.rate.percent", SETTINGS_PERCENT, AT(BREAKER, breaker.rule.percent_bp), 0, 10000, "90", NULL,
     "share of failures in the window that opens; 0: off"},
    {"breaker.rate.minimum", SETTINGS_COUNT, AT(BREAKER, breaker.rule.minimum), 1, 1000000, "20", NULL,
     "calls that the window must hold before the share counts"},
    {"breaker.rate.window", SETTINGS_DURATION, AT(BREAKER, breaker.rule.window_ms), 100, HOUR, "30s", NULL,
     "how far back the share looks"},
    {"breaker.slow.over", SETTINGS_DURATION, AT(BREAKER, breaker.rule.slow_ms), 0, HOUR, "0s", NULL,
     "attempts are slow whose reply takes longer to begin; 0s: none"},
    {"breaker.slow.percent", SETTINGS_PERCENT, AT(BREAKER, breaker.rule.slow_bp), 1, 10000, "80", NULL,
     "share of slow attempts in the window of rate that opens"},
    {"breaker.on", SETTINGS_OUTCOMES, AT(BREAKER, breaker.on), 0, 0, FAILURES, NULL,
     "outcomes that count as failures"},
    {"breaker.open", SETTINGS_DURATION, AT(BREAKER, breaker.rule.open_ms), 1, DAY, "5s", NULL,
     "how long the circuit stays open at first"},
    {"breaker.open_cap", SETTINGS_DURATION, AT(BREAKER, breaker.rule.open_cap_ms), 1, WEEK, "300s", NULL,
     "each reopening doubles the time up to this"},
    {"breaker.probes", SETTINGS_COUNT, AT(BREAKER, breaker.rule.probes), 1, 63, "1", NULL,
     "calls let through a half open circuit"},
    {"breaker.reject", SETTINGS_CHOICE, AT(BREAKER, breaker.reject), 0, 0, "error", circuit_rejects,
     "error: the call fails at once; 503: it gets such a reply; wait: it stays until the circuit closes"},
    {"breaker.errno", SETTINGS_CHOICE, AT(BREAKER, breaker.refusal_errno), 0, 0, "ECONNREFUSED", errnos,
     "what connect() reports while the circuit is open"},
    {"breaker.scope", SETTINGS_CHOICE, AT(BREAKER, breaker.scope), 0, 0, "policy", scopes,
     "policy: a circuit for each host and policy; host: one for all policies of the host"},

    {"limit.rate", SETTINGS_COUNT, AT(LIMIT, limit.rule.rate), 1, 1000000, "60", NULL,
     "calls a period"},
    {"limit.per", SETTINGS_DURATION, AT(LIMIT, limit.rule.per_ms), 1, DAY, "60s", NULL,
     "the period"},
    {"limit.burst", SETTINGS_COUNT, AT(LIMIT, limit.rule.burst), 1, 1000000, "60", NULL,
     "calls that may come at once"},
    {"limit.key", SETTINGS_TEXT, AT(LIMIT, limit.key), 0, 0, "${GUSSET_TENANT_ID:-}", NULL,
     "a bucket for each host, policy and value of this"},
    {"limit.wait", SETTINGS_DURATION, AT(LIMIT, limit.rule.wait_ms), 0, HOUR, "0s", NULL,
     "how long a call may be kept waiting for its turn"},
    {"limit.reject", SETTINGS_CHOICE, AT(LIMIT, limit.reject), 0, 0, "error", limit_rejects,
     "error: a call over the limit fails at once; 429: it gets such a reply"},

    {"bulkhead.calls", SETTINGS_COUNT, AT(BULKHEAD, bulkhead.calls), 1, 10000, "100", NULL,
     "calls in flight at once, of all processes together"},
    {"bulkhead.wait", SETTINGS_DURATION, AT(BULKHEAD, bulkhead.wait_ms), 0, HOUR, "0s", NULL,
     "how long a call may be kept waiting for another to end"},

    {"pool.share", SETTINGS_BOOL, AT(POOL, pool.share), 0, 1, "true", NULL,
     "connections, name look-ups and TLS sessions outlive the program's handles"},
    {"pool.connections", SETTINGS_COUNT, AT(POOL, pool.connections), 1, 10000, "100", NULL,
     "idle connections that a thread keeps in all"},
    {"pool.keepalive", SETTINGS_COUNT, AT(POOL, pool.keepalive), 1, 10000, "20", NULL,
     "of these, for handles with the same credentials and TLS settings"},

    {"fallback.status", SETTINGS_COUNT, AT(FALLBACK, fallback.status), 200, 599, "200", NULL,
     "status of the reply that is given when the circuit is open or tries ran out"},
    {"fallback.type", SETTINGS_TEXT, AT(FALLBACK, fallback.type), 0, 0, "application/json", NULL,
     "its Content-Type"},
    {"fallback.body", SETTINGS_TEXT, AT(FALLBACK, fallback.body), 0, 0, "", NULL,
     "its body, as text"},
    {"fallback.file", SETTINGS_TEXT, AT(FALLBACK, fallback.file), 0, 0, "", NULL,
     "its body, as the absolute path of a file"},
    {"fallback.methods", SETTINGS_METHODS, AT(FALLBACK, fallback.methods), 0, 0, "GET, HEAD", NULL,
     "methods of the requests that get it"},

    {"stale.size", SETTINGS_SIZE, AT(STALE, stale.size), 1024, 1 << 30, "10M", NULL,
     "bytes that the last good replies to GET requests may take, all together"},
    {"stale.age", SETTINGS_DURATION, AT(STALE, stale.age_ms), 1000, WEEK, "1h", NULL,
     "how old one may be when its host is down and the program gets it"},

    {"fault.percent", SETTINGS_PERCENT, AT(FAULT, fault.percent_bp), 0, 10000, "10", NULL,
     "rehearsal: share of the attempts that are struck"},
    {"fault.error", SETTINGS_ERROR, AT(FAULT, fault.error), 0, 0, "503", errors,
     "what becomes of them: one of these, or the status of a reply"},
    {"fault.delay", SETTINGS_DURATION, AT(FAULT, fault.delay_ms), 0, HOUR, "0s", NULL,
     "how much later that is"},
    {"fault.after", SETTINGS_COUNT, AT(FAULT, fault.after), 0, 1 << 30, "0", NULL,
     "bytes of the body that come before it is cut"},
    {"fault.until", SETTINGS_MOMENT, AT(FAULT, fault.until_s), 0, 0, "", NULL,
     "the end of the rehearsal; required"},

    {"propagate", SETTINGS_PROPAGATE, SETTINGS_OF_POLICY, 0, 0, offsetof(struct policy, propagate), 0, 0, "",
     propagated, "what calls carry as headers: request_id, tenant_id, project_id, traceparent"},

    {"prefix", SETTINGS_BOOL, SERVICE_AT(prefix), 0, 1, "false", NULL,
     "the path of the address goes before the path that was asked for"},
    {"credentials", SETTINGS_BOOL, SERVICE_AT(credentials), 0, 1, "false", NULL,
     "the program's own Authorization and cookies travel to the service's address"},
    {"host", SETTINGS_CHOICE, SERVICE_AT(host), 0, 0, "service", hosts,
     "whose name stands in the Host header and in TLS: the address's, or the one that was asked for"},
    {"health.path", SETTINGS_TEXT, SERVICE_AT(health_path), 0, 0, "/", NULL,
     "what a health check of type http asks for, as a program would"},
    {"health.type", SETTINGS_CHOICE, SERVICE_AT(health_type), 0, 0, "http", checks,
     "http: a request that is answered with 2xx; tcp: a connection; tls: a handshake"},
    {"health.interval", SETTINGS_DURATION, SERVICE_AT(health_interval_ms), SECOND, DAY, "30s", NULL,
     "how often it is checked"},
    {"health.timeout", SETTINGS_DURATION, SERVICE_AT(health_timeout_ms), 1, HOUR, "10s", NULL,
     "longest time of a check"},
    {"health.failures", SETTINGS_COUNT, SERVICE_AT(health_failures), 1, 1000, "3", NULL,
     "failed checks in a row that make a service unhealthy"},
};
/* clang-format on */

enum { TABLE_LENGTH = sizeof table / sizeof table[0] };
_Static_assert((int)TABLE_LENGTH <= (int)SETTINGS_MOST, "arrays with an element a setting are too short");

/* Keys of the contract that come with later versions; whole paths below a policy or the file. */
/* clang-format off */
static const char *const planned[] = {
    "hedge",
    "variants",
};
/* clang-format on */

static bool is(const char *word, const char *text, size_t length)
{
    return strlen(word) == length && memcmp(word, text, length) == 0;
}

unsigned settings_count(void)
{
    return TABLE_LENGTH;
}

const struct settings_entry *settings_at(unsigned index)
{
    return &table[index];
}

int settings_find(const char *key, size_t length)
{
    for (unsigned i = 0; i < TABLE_LENGTH; i++)
        if (is(table[i].key, key, length))
            return (int)i;
    return -1;
}

bool settings_is_group(const char *key, size_t length, enum settings_place place, uint32_t *bit)
{
    for (unsigned i = 0; i < TABLE_LENGTH; i++)
        if (table[i].place == place && strlen(table[i].key) > length && table[i].key[length] == '.' &&
            memcmp(table[i].key, key, length) == 0) {
            *bit = table[i].group;
            return true;
        }
    return false;
}

bool settings_is_planned(const char *key, size_t length)
{
    for (unsigned i = 0; i < sizeof planned / sizeof planned[0]; i++)
        if (is(planned[i], key, length))
            return true;
    return false;
}

static uint32_t *number_at(const struct settings_entry *entry, void *base)
{
    return (uint32_t *)(void *)((char *)base + entry->offset);
}

static bool parse_choice(const struct settings_choice *choice, const char *text, size_t length,
                         uint32_t *value)
{
    for (; choice->name; choice++)
        if (is(choice->name, text, length)) {
            *value = choice->value;
            return true;
        }
    return false;
}

static bool parse_outcomes(struct outcome_set *set, const char *text, size_t length)
{
    struct outcome_set whole = {0};
    struct value_word word;
    for (size_t at = 0; value_next(text, length, &at, &word);)
        if (!outcome_set_add(&whole, word.text, word.length))
            return false;
    *set = whole;
    return true;
}

/* Method names are case-sensitive, and one that no table knows is more often a slip than a wish. */
static bool parse_methods(uint32_t *methods, const char *text, size_t length)
{
    uint32_t whole = 0;
    struct value_word word;
    for (size_t at = 0; value_next(text, length, &at, &word);) {
        uint32_t one = method_from_name(word.text, word.length);
        if (one == METHOD_OTHER && !is(method_name(METHOD_OTHER), word.text, word.length))
            return false;
        whole |= one;
    }
    *methods = whole;
    return true;
}

static bool parse_bits(const struct settings_choice *choices, uint32_t *bits, const char *text, size_t length)
{
    uint32_t whole = 0;
    struct value_word word;
    for (size_t at = 0; value_next(text, length, &at, &word);) {
        uint32_t one;
        if (!parse_choice(choices, word.text, word.length, &one))
            return false;
        whole |= one;
    }
    *bits = whole;
    return true;
}

static bool parse_error(const struct settings_choice *choices, uint32_t *error, const char *text,
                        size_t length)
{
    uint64_t status;

    if (parse_choice(choices, text, length, error))
        return true;
    if (!value_decimal(text, length, 0, &status) || status < REHEARSAL_STATUS || status > REHEARSAL_LAST)
        return false;
    *error = (uint32_t)status;
    return true;
}

static bool parse_moment(uint32_t *unix_s, const char *text, size_t length)
{
    if (length > 0)
        return timestamp_read(text, length, unix_s);
    *unix_s = 0;
    return true;
}

static bool parse_number(const struct settings_entry *entry, const char *text, size_t length,
                         uint64_t *number)
{
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_DURATION:
        return value_duration(text, length, number);
    case SETTINGS_COUNT:
        return value_decimal(text, length, 0, number);
    case SETTINGS_DECIMAL:
        return value_decimal(text, length, 3, number);
    case SETTINGS_PERCENT:
        return value_decimal(text, length, 2, number);
    case SETTINGS_SIZE:
        return value_size(text, length, number);
    case SETTINGS_BOOL:
        *number = is("true", text, length);
        return *number || is("false", text, length);
    case SETTINGS_CHOICE:
    case SETTINGS_OUTCOMES:
    case SETTINGS_METHODS:
    case SETTINGS_PROPAGATE:
    case SETTINGS_TEXT:
    case SETTINGS_ERROR:
    case SETTINGS_MOMENT:
        break;
    }
    return false;
}

bool settings_parse(const struct settings_entry *entry, void *base, const char *text, size_t length)
{
    uint64_t number;
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_CHOICE:
        return parse_choice(entry->choices, text, length, number_at(entry, base));
    case SETTINGS_OUTCOMES:
        return parse_outcomes((struct outcome_set *)(void *)((char *)base + entry->offset), text, length);
    case SETTINGS_METHODS:
        return parse_methods(number_at(entry, base), text, length);
    case SETTINGS_PROPAGATE:
        return parse_bits(entry->choices, number_at(entry, base), text, length);
    case SETTINGS_ERROR:
        return parse_error(entry->choices, number_at(entry, base), text, length);
    case SETTINGS_MOMENT:
        return parse_moment(number_at(entry, base), text, length);
    case SETTINGS_TEXT:
        return false;
    case SETTINGS_DURATION:
    case SETTINGS_COUNT:
    case SETTINGS_DECIMAL:
    case SETTINGS_PERCENT:
    case SETTINGS_SIZE:
    case SETTINGS_BOOL:
        break;
    }
    if (!parse_number(entry, text, length, &number) || number > UINT32_MAX - entry->surplus)
        return false;
    number += entry->surplus;
    if (number < entry->least || number > entry->most)
        return false;
    *number_at(entry, base) = (uint32_t)number;
    return true;
}

static void print_number(const struct settings_entry *entry, struct value_text *out, uint32_t number)
{
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_DURATION:
        value_put_duration(out, number);
        return;
    case SETTINGS_DECIMAL:
        value_put_decimal(out, number, 3, 1);
        return;
    case SETTINGS_PERCENT:
        value_put_decimal(out, number, 2, 0);
        return;
    case SETTINGS_SIZE:
        value_put_size(out, number);
        return;
    case SETTINGS_BOOL:
        value_put(out, number ? "true" : "false");
        return;
    case SETTINGS_COUNT:
    case SETTINGS_CHOICE:
    case SETTINGS_OUTCOMES:
    case SETTINGS_METHODS:
    case SETTINGS_PROPAGATE:
    case SETTINGS_TEXT:
    case SETTINGS_ERROR:
    case SETTINGS_MOMENT:
        value_put_decimal(out, number - entry->surplus, 0, 0);
        return;
    }
}

static void put_item(struct value_text *out, const char *item)
{
    if (out->length > 0)
        value_put(out, ", ");
    value_put(out, item);
}

static void print_choices(const struct settings_choice *choice, struct value_text *out)
{
    for (; choice->name; choice++)
        put_item(out, choice->name);
}

size_t settings_expected(const struct settings_entry *entry, char *text, size_t size)
{
    static const char *const wanted[] = {
        [SETTINGS_DURATION] = "a duration with a unit such as \"5s\"",
        [SETTINGS_COUNT] = "a whole number",
        [SETTINGS_DECIMAL] = "a decimal number",
        [SETTINGS_PERCENT] = "a percentage",
        [SETTINGS_BOOL] = "true or false",
        [SETTINGS_CHOICE] = "one of ",
        [SETTINGS_OUTCOMES] = "a list of error types, CURLE_ names, statuses (\"503\") or classes (\"5xx\")",
        [SETTINGS_METHODS] = "a list of HTTP methods in capitals",
        [SETTINGS_PROPAGATE] = "a list of ",
        [SETTINGS_TEXT] = "a string",
        [SETTINGS_ERROR] = "a status from 400 to 599 or one of ",
        [SETTINGS_SIZE] = "a size such as \"10M\"",
        [SETTINGS_MOMENT] = "a time such as \"2026-12-01T00:00:00Z\"",
    };
    struct value_text list = {text, size, 0};
    if (entry->choices) { /* the lead comes last, so that put_item sees an empty list at first */
        const char *lead = wanted[entry->kind];
        size_t offset = strlen(lead) < size ? strlen(lead) : 0;
        struct value_text names = {text + offset, size - offset, 0};
        print_choices(entry->choices, &names);
        memcpy(text, lead, offset);
        return offset + names.length;
    }
    value_put(&list, wanted[entry->kind]);
    if (entry->kind > SETTINGS_PERCENT && entry->kind != SETTINGS_SIZE)
        return list.length;
    if (entry->most == entry->least) {
        value_put(&list, ": ");
    } else {
        bool has_unit = entry->kind == SETTINGS_DURATION || entry->kind == SETTINGS_SIZE;
        value_put(&list, has_unit ? ", from " : " from ");
        print_number(entry, &list, entry->least);
        value_put(&list, " to ");
    }
    print_number(entry, &list, entry->most);
    return list.length;
}

static bool holds_class(const struct outcome_set *set, int first)
{
    for (int status = first; status < first + 100; status++) {
        int bit = status - OUTCOME_STATUS_FIRST;
        if (!(set->statuses[bit / 32] >> (bit % 32) & 1))
            return false;
    }
    return true;
}

static void print_outcomes(const struct outcome_set *set, struct value_text *out)
{
    for (int type = 0; type < OUTCOME_TYPES; type++)
        if (set->types >> type & 1)
            put_item(out, outcome_type_name((enum outcome_type)type));
    for (int code = 0; code < OUTCOME_CURL_CODES; code++)
        if (set->curl[code / 32] >> (code % 32) & 1 && outcome_curl_name(code))
            put_item(out, outcome_curl_name(code));
    for (int first = OUTCOME_STATUS_FIRST; first <= OUTCOME_STATUS_LAST; first += 100) {
        char name[4] = {(char)('0' + first / 100), 'x', 'x', 0};
        if (holds_class(set, first)) {
            put_item(out, name);
            continue;
        }
        for (int status = first; status < first + 100; status++) {
            int bit = status - OUTCOME_STATUS_FIRST;
            if (!(set->statuses[bit / 32] >> (bit % 32) & 1))
                continue;
            name[1] = (char)('0' + status / 10 % 10);
            name[2] = (char)('0' + status % 10);
            put_item(out, name);
        }
    }
}

static void print_methods(uint32_t methods, struct value_text *out)
{
    for (int bit = 0; bit <= METHOD_COUNT; bit++)
        if (methods >> bit & 1)
            put_item(out, method_name(1u << bit));
}

static void print_bits(const struct settings_choice *choice, uint32_t bits, struct value_text *out)
{
    for (; choice->name; choice++)
        if (bits & choice->value)
            put_item(out, choice->name);
}

static void print_moment(uint32_t unix_s, struct value_text *out)
{
    char text[TIMESTAMP_ROOM];

    if (!unix_s)
        return;
    timestamp_write(unix_s, text);
    value_put(out, text);
}

static void print_choice(const struct settings_choice *choice, uint32_t value, struct value_text *out)
{
    for (; choice->name; choice++)
        if (choice->value == value)
            value_put(out, choice->name);
}

size_t settings_print(const struct settings_entry *entry, const void *base, const char *pool, char *text,
                      size_t size)
{
    struct value_text out = {text, size, 0};
    const void *field = (const char *)base + entry->offset;
    uint32_t number;
    memcpy(&number, field, sizeof number);

    text[0] = 0;
    switch ((enum settings_kind)entry->kind) {
    case SETTINGS_CHOICE:
        print_choice(entry->choices, number, &out);
        break;
    case SETTINGS_OUTCOMES:
        print_outcomes(field, &out);
        break;
    case SETTINGS_METHODS:
        print_methods(number, &out);
        break;
    case SETTINGS_PROPAGATE:
        print_bits(entry->choices, number, &out);
        break;
    case SETTINGS_TEXT:
        value_put(&out, pool + number);
        break;
    case SETTINGS_ERROR:
        if (number < REHEARSAL_STATUS)
            print_choice(entry->choices, number, &out);
        else
            value_put_decimal(&out, number, 0, 0);
        break;
    case SETTINGS_MOMENT:
        print_moment(number, &out);
        break;
    case SETTINGS_DURATION:
    case SETTINGS_COUNT:
    case SETTINGS_DECIMAL:
    case SETTINGS_PERCENT:
    case SETTINGS_SIZE:
    case SETTINGS_BOOL:
        print_number(entry, &out, number);
        break;
    }
    return out.length;
}

void settings_reset(const struct settings_entry *entry, void *base)
{
    settings_parse(entry, base, entry->initial, strlen(entry->initial));
}

void settings_copy(const struct settings_entry *entry, void *to, const void *from)
{
    size_t size = entry->kind == SETTINGS_OUTCOMES ? sizeof(struct outcome_set) : sizeof(uint32_t);
    memcpy((char *)to + entry->offset, (const char *)from + entry->offset, size);
}

void settings_apply_group(struct policy *policy, uint32_t group)
{
    policy->groups |= group;
    for (unsigned i = 0; i < TABLE_LENGTH; i++)
        if (table[i].group & group)
            settings_reset(&table[i], policy);
}

void settings_reset_globals(struct settings_globals *globals)
{
    memset(globals, 0, sizeof *globals);
    for (unsigned i = 0; i < TABLE_LENGTH; i++)
        if (table[i].place == SETTINGS_OF_FILE)
            settings_reset(&table[i], globals);
}

void settings_reset_service(struct settings_service *service)
{
    memset(service, 0, sizeof *service);
    for (unsigned i = 0; i < TABLE_LENGTH; i++)
        if (table[i].place == SETTINGS_OF_SERVICE)
            settings_reset(&table[i], service);
}

static unsigned index_of(const char *key)
{
    return (unsigned)settings_find(key, strlen(key));
}

const char *settings_conflict(const struct policy *policy, unsigned *index)
{
    if (policy->groups & POLICY_RETRY && policy->retry.cap_ms < policy->retry.base_ms) {
        *index = index_of("retry.backoff.cap");
        return "retry.backoff.cap is shorter than retry.backoff.base";
    }
    if (policy->groups & POLICY_BREAKER && policy->breaker.rule.open_cap_ms < policy->breaker.rule.open_ms) {
        *index = index_of("breaker.open_cap");
        return "breaker.open_cap is shorter than breaker.open";
    }
    if (policy->groups & POLICY_FAULT && !policy->fault.until_s) {
        *index = index_of("fault.until");
        return "fault.until is missing, expected a time such as \"2026-12-01T00:00:00Z\"";
    }
    if (policy->groups & POLICY_FALLBACK && policy->fallback.body && policy->fallback.file) {
        *index = index_of("fallback.file");
        return "fallback.body and fallback.file are both given, expected one of them";
    }
    if (policy->groups & POLICY_POOL && policy->pool.connections < policy->pool.keepalive) {
        *index = index_of("pool.connections");
        return "pool.connections is less than pool.keepalive";
    }
    return NULL;
}

void settings_mend(struct policy *policy)
{
    if (policy->retry.cap_ms < policy->retry.base_ms)
        policy->retry.cap_ms = policy->retry.base_ms;
    if (policy->breaker.rule.open_cap_ms < policy->breaker.rule.open_ms)
        policy->breaker.rule.open_cap_ms = policy->breaker.rule.open_ms;
    if (policy->pool.connections < policy->pool.keepalive)
        policy->pool.connections = policy->pool.keepalive;
}
