#include "agent/follow.h"

#include <string.h>

#include "agent/sharing.h"
#include "core/breaker.h"
#include "report/log.h"
#include "sys/random.h"
#include "tool/circuit.h"

enum {
    LEASE_MS = 5000,  /* for which a circuit opens at a time: nothing sticks when agents or Redis end */
    RENEW_MS = 2500,  /* what is left of it when it is renewed */
    GRACE_MS = 500,   /* the other machine's own probe comes first */
    DOUBT_MS = 300000 /* who has found out that a host is well does not believe others for so long */
};

/* ---- what is remembered of a host ---- */

static struct follow_one *find(struct follow *follow, uint64_t key)
{
    for (unsigned i = 0; i < FOLLOW_MOST; i++)
        if (follow->ones[i].key == key)
            return &follow->ones[i];
    return NULL;
}

static struct follow_one *take(struct follow *follow, uint64_t key)
{
    struct follow_one *one = find(follow, key);

    if (!one)
        one = find(follow, 0);
    if (!one)
        one = &follow->ones[follow->next++ % FOLLOW_MOST];
    *one = (struct follow_one){.key = key};
    return one;
}

static void forget(struct follow *follow, uint64_t key)
{
    struct follow_one *one = find(follow, key);
    if (one)
        *one = (struct follow_one){.key = 0};
}

/* ---- what others say of a host ---- */

struct opinion {
    const struct notice *open; /* that which stays open longest, one by hand before those by failures */
    bool is_closed;
};

static uint64_t left_ms(const struct notice *notice)
{
    return notice->left_ms ? notice->left_ms : UINT64_MAX;
}

static bool is_stronger(const struct notice *notice, const struct notice *other)
{
    if (!other || notice->is_by_hand != other->is_by_hand)
        return !other || notice->is_by_hand;
    return left_ms(notice) > left_ms(other);
}

static struct opinion opinion_of(const struct snapshot *host, const struct notice *notices, unsigned count)
{
    struct opinion opinion = {.open = NULL};

    for (unsigned i = 0; i < count; i++) {
        const struct notice *notice = &notices[i];
        if (strcmp(notice->host, host->host) != 0 || strcmp(notice->policy, host->policy) != 0)
            continue;
        if (!notice->is_open)
            opinion.is_closed = true;
        else if (is_stronger(notice, opinion.open))
            opinion.open = notice;
    }
    return opinion;
}

/* ---- what is done ---- */

static void tell(const struct snapshot *host, const char *event, const char *sentence)
{
    struct log_line line;

    log_begin(&line, LOG_WARN, event, sentence);
    log_text(&line, "host", host->host);
    log_text(&line, "policy", snapshot_policy(host));
    log_end(&line);
}

/* A little longer than the other machine, and each machine another little, so that they do not probe at once.
 */
static uint32_t lease_ms(const struct notice *notice)
{
    uint64_t ms = left_ms(notice);

    if (ms >= LEASE_MS)
        return LEASE_MS;
    return (uint32_t)ms + GRACE_MS + random_32() % ((uint32_t)ms / 10 + GRACE_MS);
}

static void open_too(struct follow *follow, struct reading *reading, const struct snapshot *host,
                     const struct notice *notice, bool is_renewed)
{
    uint32_t ms = lease_ms(notice);
    uint64_t word = breaker_forced_open(reading->now_us / 1000, ms);

    if (!circuit_follow(&reading->state.map, host, word, is_renewed ? EVENTS_NONE : EVENTS_FOLLOWED, ms) ||
        is_renewed)
        return;
    take(follow, host->key)->opening = notice->opening;
    tell(host, "followed", "open on another machine, so the circuit opens here, too");
}

static void renew(struct follow *follow, struct reading *reading, const struct snapshot *host,
                  const struct notice *notice)
{
    const struct follow_one *one = find(follow, host->key);
    uint64_t remaining_ms = breaker_remaining_ms(host->circuit, reading->now_us / 1000);

    if (!one) /* of an agent before this one */
        take(follow, host->key)->opening = notice->opening;
    else if (one->opening != notice->opening && !notice->is_by_hand)
        return; /* it has opened again: this machine's own probe comes first */
    if (remaining_ms < RENEW_MS && left_ms(notice) > remaining_ms)
        open_too(follow, reading, host, notice, true);
}

static bool is_doubted(struct follow *follow, struct reading *reading, const struct snapshot *host,
                       const struct notice *notice)
{
    const struct follow_one *one = find(follow, host->key);

    if (notice->is_by_hand)
        return one && one->doubt_ms && one->opening == notice->opening;
    return (one && one->doubt_ms > reading->now_us / 1000) || sharing_goes_well(host, reading);
}

/* It was followed, and somebody here closed it since: a probe that went well, or a hand. */
static void notice_disagreement(struct follow *follow, struct reading *reading, const struct snapshot *host)
{
    struct follow_one *one = find(follow, host->key);

    if (!host->elsewhere || snapshot_is_followed(host) || breaker_state(host->circuit) == BREAKER_HALF_OPEN)
        return;
    atomic_store(&host->slot->elsewhere, 0);
    if (breaker_state(host->circuit) != BREAKER_CLOSED)
        return; /* the host fails here, too */
    if (!one)
        one = take(follow, host->key);
    one->doubt_ms = reading->now_us / 1000 + DOUBT_MS;
}

static void apply(struct follow *follow, struct reading *reading, const struct snapshot *host,
                  const struct opinion *opinion)
{
    uint64_t held_ms;

    notice_disagreement(follow, reading, host);
    if (opinion->open && snapshot_is_followed(host)) {
        renew(follow, reading, host, opinion->open);
    } else if (opinion->open) {
        if (breaker_state(host->circuit) == BREAKER_CLOSED &&
            !breaker_is_held(host->circuit, reading->now_us / 1000, &held_ms) &&
            !is_doubted(follow, reading, host, opinion->open))
            open_too(follow, reading, host, opinion->open, false);
    } else if (opinion->is_closed) {
        forget(follow, host->key);
        if (snapshot_is_followed(host) &&
            circuit_follow(&reading->state.map, host, breaker_closed(), EVENTS_RELEASED, 0))
            tell(host, "released", "closed on the other machine, so the circuit closes here, too");
    }
}

void follow_apply(struct follow *follow, struct reading *reading, const struct rules *rules,
                  const struct notice *notices, unsigned count)
{
    for (unsigned i = 0; i < reading->hosts.count; i++) {
        const struct snapshot *host = &reading->hosts.items[i];
        struct opinion opinion = opinion_of(host, notices, count);
        if ((host->elsewhere || opinion.open || opinion.is_closed) && sharing_is_meant(host, rules))
            apply(follow, reading, host, &opinion);
    }
}
