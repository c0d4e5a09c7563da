#include "tool/sentence.h"

#include <string.h>

#include "tool/output.h"

static bool is_of_http(enum outcome_type type)
{
    return type == OUTCOME_RATE_LIMIT || type == OUTCOME_AUTHENTICATION ||
           type == OUTCOME_PERMISSION_DENIED || type == OUTCOME_NOT_FOUND || type == OUTCOME_BAD_REQUEST ||
           type == OUTCOME_SERVER_ERROR;
}

/* The outcome's number is a status, a CURLcode (all below 100) or an errno. */
static void print_outcome(FILE *to, const struct events_entry *event)
{
    fprintf(to, "%s", outcome_type_name(event->outcome));
    if (event->status == 0)
        return;
    const char *curl = event->status < OUTCOME_STATUS_FIRST ? outcome_curl_name(event->status) : NULL;
    if (is_of_http(event->outcome))
        fprintf(to, " %u", event->status);
    else if (curl)
        fprintf(to, " (%s)", curl);
    else
        fprintf(to, " (%s)", strerror(event->status));
}

static void print_attempt(FILE *to, const struct events_entry *event)
{
    print_outcome(to, event);
    fprintf(to, ", attempt %u; ", event->attempt);
}

/* As fault.error is written; static. */
static const char *error_name(uint32_t error)
{
    static const char *const names[] = {"delay", "refuse", "reset", "timeout", "cut"};
    static char status[12];

    if (error < sizeof names / sizeof names[0])
        return names[error];
    snprintf(status, sizeof status, "%u", error);
    return status;
}

void sentence_print(FILE *to, const struct events_entry *event)
{
    char duration[OUTPUT_NUMBER];
    output_duration((uint64_t)event->detail * 1000, duration);

    switch (event->kind) {
    case EVENTS_RETRY:
        print_attempt(to, event);
        fprintf(to, "again in %s", duration);
        return;
    case EVENTS_HEDGED:
        fprintf(to, "not answered after %s, a second attempt side by side", duration);
        return;
    case EVENTS_EXHAUSTED:
        print_attempt(to, event);
        fprintf(to, "no tries left");
        return;
    case EVENTS_UNFUNDED:
        print_attempt(to, event);
        fprintf(to, "the host's retry budget is spent");
        return;
    case EVENTS_RESCUED:
        fprintf(to, "well at attempt %u, after %s", event->attempt, duration);
        return;
    case EVENTS_REJECTED:
        fprintf(to, event->detail ? "circuit open, worth trying in %s" : "circuit open until it is reset",
                duration);
        return;
    case EVENTS_LIMITED:
        fprintf(to, "over the rate limit, worth trying in %s", duration);
        return;
    case EVENTS_CROWDED:
        fprintf(to, "as many calls as the bulkhead lets through are in flight");
        return;
    case EVENTS_WAITS:
        fprintf(to, "kept waiting, %s at first", duration);
        return;
    case EVENTS_OFFLINE:
        print_outcome(to, event);
        fprintf(to, "; every host fails, the machine has lost its network: circuits stay as they are");
        return;
    case EVENTS_LATE:
        fprintf(to, "the deadline of the run has passed");
        return;
    case EVENTS_OPENED:
        print_outcome(to, event);
        fprintf(to, "; circuit open for %s", duration);
        return;
    case EVENTS_PROBE:
        fprintf(to, "circuit half open, attempt %u probes", event->attempt);
        return;
    case EVENTS_CLOSED:
        fprintf(to, "circuit closed");
        return;
    case EVENTS_TRIPPED:
        fprintf(to, event->detail ? "opened by hand for %s" : "opened by hand until it is reset", duration);
        return;
    case EVENTS_RESET:
        fprintf(to, "closed by hand");
        return;
    case EVENTS_RESUMED:
        fprintf(to, "attempt %u broke off after %u KiB, the next goes on", event->attempt, event->detail);
        return;
    case EVENTS_STALE:
        print_outcome(to, event);
        fprintf(to, "; given a reply of %u s ago instead", event->detail);
        return;
    case EVENTS_FAULT:
        fprintf(to, "attempt %u, rehearsed: %s", event->attempt, error_name(event->detail));
        return;
    case EVENTS_FALLBACK:
        print_outcome(to, event);
        fprintf(to, "; given status %u instead", event->detail);
        return;
    case EVENTS_HELD:
        fprintf(to, event->detail ? "held closed by hand for %s" : "held closed by hand until it is reset",
                duration);
        return;
    case EVENTS_UNHEALTHY:
        fprintf(to, "health checks fail; circuit open for %s", duration);
        return;
    case EVENTS_HEALTHY:
        fprintf(to, "health checks go well again; circuit closed");
        return;
    case EVENTS_FOLLOWED:
        fprintf(to, "open on another machine; open here, too, for %s", duration);
        return;
    case EVENTS_RELEASED:
        fprintf(to, "closed on the other machine; circuit closed");
        return;
    case EVENTS_NONE:
    case EVENTS_KINDS:
        return;
    }
}
