#include "sim/door.h"

#include <errno.h>

#include "sys/clock.h"

enum { CURL_OPERATION_TIMEDOUT = 28 };

void door_open(struct door *door, const struct rules_query *query)
{
    bool is_gated = query && gate_open(&door->gate, query, false);

    door->is_gated = is_gated;
    door->is_connect = query && !query->path;
    door->is_granted = door->is_refused = door->is_good = false;
    door->attempts = 0;
}

static struct door_move over(struct door *door)
{
    if (door->is_gated)
        gate_close(&door->gate);
    return (struct door_move){.step = DOOR_OVER};
}

static struct door_move attempt(struct door *door)
{
    door->attempts++;
    return (struct door_move){.step = DOOR_ATTEMPT};
}

static struct door_move wait_for(uint32_t ms)
{
    return (struct door_move){DOOR_WAIT, (uint64_t)ms * 1000};
}

struct door_move door_go(struct door *door)
{
    if (!door->is_gated || door->is_granted) {
        door->is_granted = false;
        return attempt(door);
    }
    struct verdict verdict = gate_admit(&door->gate, true);
    if (verdict.kind == VERDICT_REFUSE) {
        door->is_refused = true;
        door->outcome = door->gate.outcome;
        return over(door);
    }
    if (verdict.kind == VERDICT_GO)
        return attempt(door);
    door->is_granted = verdict.kind == VERDICT_WAIT;
    return wait_for(verdict.wait_ms);
}

uint64_t door_limit_us(const struct door *door)
{
    uint64_t limit_us = UINT64_MAX;

    if (!door->is_gated)
        return limit_us;
    const struct policy *settings = door->gate.policy->settings;
    uint32_t limit_ms = door->is_connect ? settings->timeout.connect_ms : settings->timeout.attempt_ms;
    if ((settings->groups & POLICY_TIMEOUT) && limit_ms)
        limit_us = (uint64_t)limit_ms * 1000;
    uint64_t now_us = clock_now_us(), deadline_us = door->gate.deadline_us;
    uint64_t left_us = !deadline_us ? limit_us : deadline_us > now_us ? deadline_us - now_us : 0;
    return left_us < limit_us ? left_us : limit_us;
}

/* As curl/inject does: a request then has a key, whatever its method. */
static bool makes_key(const struct door *door)
{
    const struct policy *settings = door->gate.policy->settings;
    return !door->is_connect && settings->groups & POLICY_RETRY && settings->retry.makes_key;
}

struct door_move door_ended(struct door *door, const struct gate_attempt *attempt)
{
    struct gate_attempt told = *attempt;

    door->outcome = attempt->outcome;
    door->is_good = attempt->outcome.type == OUTCOME_SUCCESS;
    if (!door->is_gated)
        return over(door);
    told.idempotent |= makes_key(door);
    struct verdict verdict = gate_ended(&door->gate, &told);
    return verdict.kind == VERDICT_AGAIN ? wait_for(verdict.wait_ms) : over(door);
}

struct outcome door_late(const struct door *door)
{
    return door->is_connect ? outcome_of_errno(ETIMEDOUT) : outcome_of_curl(CURL_OPERATION_TIMEDOUT);
}
