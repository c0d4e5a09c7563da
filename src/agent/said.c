#include "agent/said.h"

#include <string.h>

#include "agent/sharing.h"
#include "core/breaker.h"

/* Longer than anybody needs to hear of it who listens each second. */
enum { CLOSED_MS = 10000 };

static bool is_of(const struct snapshot *host, const struct notice *notice)
{
    return !host->is_shadow && strcmp(host->host, notice->host) == 0 &&
           strcmp(host->policy, notice->policy) == 0;
}

static struct said_one *find(struct said *said, const struct snapshot *host)
{
    for (unsigned i = 0; i < said->count; i++)
        if (is_of(host, &said->ones[i].notice))
            return &said->ones[i];
    return NULL;
}

static bool is_open_here(const struct snapshot *host, uint64_t now_ms)
{
    return breaker_state(host->circuit) == BREAKER_OPEN && breaker_remaining_ms(host->circuit, now_ms) > 0 &&
           !snapshot_is_followed(host);
}

static void say_open(struct said *said, const struct snapshot *host, const struct reading *reading)
{
    uint64_t left_ms = breaker_remaining_ms(host->circuit, reading->now_us / 1000);
    struct said_one *one = find(said, host);

    if (!one && said->count < SAID_MOST)
        one = &said->ones[said->count++];
    if (!one)
        return; /* enough: the others learn for themselves */
    *one = (struct said_one){
        .notice = {.is_open = true,
                   .is_by_hand = sharing_is_by_hand(host, reading),
                   .opening = host->circuit,
                   .left_ms = left_ms < UINT32_MAX ? (uint32_t)left_ms : 0}
    };
    strcpy(one->notice.host, host->host);
    strcpy(one->notice.policy, host->policy);
}

/* What was open: closed now, or neither (half open, or waiting for a call that probes), or gone. Returns
 * whether it is still of interest. */
static bool look_again(struct said_one *one, const struct reading *reading)
{
    uint64_t now_ms = reading->now_us / 1000;
    const struct snapshot *host = NULL;

    for (unsigned i = 0; i < reading->hosts.count && !host; i++)
        if (is_of(&reading->hosts.items[i], &one->notice))
            host = &reading->hosts.items[i];
    if (!host || snapshot_is_followed(host))
        return false;
    if (is_open_here(host, now_ms))
        return true;
    one->notice.is_open = false;
    one->notice.left_ms = 0;
    if (breaker_state(host->circuit) == BREAKER_CLOSED && one->until_ms == 0)
        one->until_ms = now_ms + CLOSED_MS;
    return one->until_ms == 0 || now_ms < one->until_ms;
}

unsigned said_write(struct said *said, struct reading *reading, const struct rules *rules, FILE *to)
{
    unsigned written = 0;

    for (unsigned i = 0; i < said->count;)
        if (look_again(&said->ones[i], reading))
            i++;
        else
            said->ones[i] = said->ones[--said->count];
    for (unsigned i = 0; i < reading->hosts.count; i++) {
        const struct snapshot *host = &reading->hosts.items[i];
        if (is_open_here(host, reading->now_us / 1000) && sharing_is_meant(host, rules))
            say_open(said, host, reading);
    }
    notice_begin(to, sharing_memory(reading));
    for (unsigned i = 0; i < said->count; i++) {
        const struct said_one *one = &said->ones[i];
        if (!one->notice.is_open && one->until_ms == 0)
            continue;
        notice_write(to, &one->notice);
        written++;
    }
    return written;
}
