#include "sim/door.h"

#include <errno.h>

#include "gate/race.h"
#include "sys/clock.h"

enum { CURL_OPERATION_TIMEDOUT = 28 };

void door_open(struct door *door, const struct rules_query *query)
{
    bool is_gated = query && gate_open(&door->gate, query, false);

    door->is_gated = is_gated;
    door->is_connect = query && !query->path;
    door->is_granted = door->is_refused = door->is_good = door->is_rescued = door->is_won = false;
    door->current = DOOR_FIRST;
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
    door->current = DOOR_FIRST;
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

/* Of a request that answers at once where it is connected: a twin's limit holds from its beginning, with the
 * time that connecting may take. */
static uint64_t limit_ms(const struct door *door, enum door_lane lane)
{
    const struct policy_timeouts *limits = &door->gate.policy->settings->timeout;

    if (!(door->gate.policy->settings->groups & POLICY_TIMEOUT))
        return 0;
    if (door->is_connect)
        return limits->connect_ms;
    return lane == DOOR_SECOND && limits->attempt_ms ? (uint64_t)limits->connect_ms + limits->attempt_ms
                                                     : limits->attempt_ms;
}

uint64_t door_limit_us(const struct door *door, enum door_lane lane)
{
    uint64_t limit_us = UINT64_MAX;

    if (!door->is_gated)
        return limit_us;
    if (limit_ms(door, lane))
        limit_us = limit_ms(door, lane) * 1000;
    uint64_t now_us = clock_now_us(), deadline_us = door->gate.deadline_us;
    uint64_t left_us = !deadline_us ? limit_us : deadline_us > now_us ? deadline_us - now_us : 0;
    return left_us < limit_us ? left_us : limit_us;
}

/* ---- a second attempt ---- */

uint64_t door_hedge_us(const struct door *door)
{
    if (!door->is_gated || !(door->gate.method & RACE_METHODS))
        return UINT64_MAX;
    uint64_t now_us = clock_now_us(), due_us = race_due_us(&door->gate);
    return !due_us ? UINT64_MAX : due_us > now_us ? due_us - now_us : 0;
}

bool door_hedges(struct door *door)
{
    bool begins = race_begins(&door->gate);

    door->attempts += begins;
    return begins;
}

/* ---- how they end ---- */

/* As curl/inject does: a request then has a key, whatever its method. */
static bool makes_key(const struct door *door)
{
    const struct policy *settings = door->gate.policy->settings;
    return !door->is_connect && settings->groups & POLICY_RETRY && settings->retry.makes_key;
}

/* The gate's current attempt has ended. */
static struct door_move judge(struct door *door, const struct gate_attempt *attempt)
{
    door->outcome = attempt->outcome;
    door->is_good = attempt->outcome.type == OUTCOME_SUCCESS;
    if (!door->is_gated)
        return over(door);
    door->is_rescued = door->is_good && door->gate.attempt > 1;
    struct verdict verdict = gate_ended(&door->gate, attempt);
    if (verdict.kind == VERDICT_AGAIN && verdict.reason == VERDICT_RACED) {
        race_goes_on(&door->gate);
        door->current = DOOR_SECOND;
        return (struct door_move){.step = DOOR_RUNS};
    }
    race_over(&door->gate);
    return verdict.kind == VERDICT_AGAIN ? wait_for(verdict.wait_ms) : over(door);
}

static struct door_move win(struct door *door, const struct gate_attempt *attempt)
{
    race_won(&door->gate);
    door->is_won = true;
    return judge(door, attempt);
}

/* Beside the first, or in its place: then there is no other to choose, and any reply is the call's. */
static struct door_move second_ended(struct door *door, const struct gate_attempt *attempt)
{
    bool is_beside = door->current == DOOR_FIRST;
    bool is_reply = attempt->outcome.type == OUTCOME_SUCCESS || attempt->outcome.status;

    if (is_beside && race_is_lost_by(&door->gate, &attempt->outcome)) {
        race_lost(&door->gate, attempt);
        return (struct door_move){.step = DOOR_RUNS};
    }
    return is_beside || is_reply ? win(door, attempt) : judge(door, attempt);
}

struct door_move door_ended(struct door *door, enum door_lane lane, const struct gate_attempt *attempt)
{
    struct gate_attempt told = *attempt;

    told.idempotent |= door->is_gated && makes_key(door);
    return lane == DOOR_SECOND ? second_ended(door, &told) : judge(door, &told);
}

struct outcome door_late(const struct door *door)
{
    return door->is_connect ? outcome_of_errno(ETIMEDOUT) : outcome_of_curl(CURL_OPERATION_TIMEDOUT);
}
