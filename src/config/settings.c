#include "config/settings.h"

#include <errno.h>
#include <string.h>

#include "config/value.h"

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

static const struct settings_choice quantiles[] = {
    {"p50", POLICY_HEDGE_QUANTILE | 50},
    {"p75", POLICY_HEDGE_QUANTILE | 75},
    {"p90", POLICY_HEDGE_QUANTILE | 90},
    {"p95", POLICY_HEDGE_QUANTILE | 95},
    {"p99", POLICY_HEDGE_QUANTILE | 99},
    {NULL,  0                         }
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
    {"timeout.header", SETTINGS_TEXT, AT(TIMEOUT, timeout.header), 0, 0, "", NULL,
     "header that tells the server, in each attempt, how many milliseconds the call has left; empty: none"},

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

    {"hedge.after", SETTINGS_DELAY, AT(HEDGE, hedge.after), 1, HOUR, "p95", quantiles,
     "a GET or HEAD that has not begun to be answered then is made a second time side by side, paid from "
     "retry.budget; p95: what 95 % of this host's calls take"},

    {"breaker.consecutive", SETTINGS_COUNT, AT(BREAKER, breaker.rule.consecutive), 0, 4000, "5", NULL,
     "failures in a row that open while the window holds fewer than rate.minimum, or rate.percent is 0; 0: off"},
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
        if (value_is(key, length, table[i].key))
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
