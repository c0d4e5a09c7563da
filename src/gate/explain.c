/* What a program is told of a refusal: a status, or a sentence for its error buffer; without stdio, because
 * the door may be connect(2). */
#include "gate/gate.h"

#include "gate/inside.h"

static size_t append(char *text, size_t size, size_t length, const char *more)
{
    while (*more && length + 1 < size)
        text[length++] = *more++;
    text[length] = '\0';
    return length;
}

static size_t append_number(char *text, size_t size, size_t length, uint64_t number)
{
    char digits[21];
    unsigned at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return append(text, size, length, digits + at);
}

/* "4928 ms", "28 s", "3 m 20 s", "2 h 5 m": rounded up, so that it is worth trying then. */
static size_t append_wait(char *text, size_t size, size_t length, uint64_t wait_ms)
{
    enum { FROM_SECONDS_MS = 10000, MINUTE = 60, HOUR = 3600 };
    uint64_t seconds = (wait_ms + 999) / 1000, minutes = (seconds + MINUTE - 1) / MINUTE;

    if (wait_ms < FROM_SECONDS_MS)
        return append(text, size, append_number(text, size, length, wait_ms), " ms");
    if (seconds < MINUTE)
        return append(text, size, append_number(text, size, length, seconds), " s");
    if (seconds < HOUR) {
        length = append(text, size, append_number(text, size, length, seconds / MINUTE), " m ");
        return append(text, size, append_number(text, size, length, seconds % MINUTE), " s");
    }
    length = append(text, size, append_number(text, size, length, minutes / 60), " h ");
    return append(text, size, append_number(text, size, length, minutes % 60), " m");
}

/* What is said of a refusal, by its reason: before the policy's name, and behind it where no time is known.
 */
static const struct {
    const char *refused, *without_time;
} sentences[VERDICT_REASONS] = {
    [VERDICT_CIRCUIT_OPEN] = {" refused: circuit open by policy ",        ", until it is reset by hand"},
    [VERDICT_LIMITED] = {" refused: over the rate limit of policy ", ""                           },
    [VERDICT_CROWDED] = {" refused: bulkhead full by policy ",       ""                           },
};

size_t gate_explain(const struct gate_call *call, const struct verdict *verdict, char *text, size_t size)
{
    size_t length = append(text, size, 0, "gusset: ");

    length = append(text, size, length, call->host);
    if (verdict->reason == VERDICT_DEADLINE)
        return append(text, size, length, " refused: the deadline of this run (GUSSET_DEADLINE) has passed");
    length = append(text, size, length, sentences[verdict->reason].refused);
    length = append(text, size, length, call->policy->name);
    if (verdict->reason == VERDICT_CROWDED) {
        length = append(text, size, length, ", ");
        length = append_number(text, size, length, call->policy->settings->bulkhead.calls);
        return append(text, size, length, " calls are in flight");
    }
    if (!verdict->wait_ms)
        return append(text, size, length, sentences[verdict->reason].without_time);
    length = append(text, size, length, ", next try in ");
    return append_wait(text, size, length, verdict->wait_ms);
}

int gate_refusal_status(const struct gate_call *call, const struct verdict *verdict)
{
    const struct policy *settings = inside_settings(call);

    if (verdict->reason == VERDICT_CIRCUIT_OPEN && settings->breaker.reject == POLICY_REJECT_REPLY)
        return 503;
    return verdict->reason == VERDICT_LIMITED && settings->limit.reject == POLICY_REJECT_REPLY ? 429 : 0;
}
