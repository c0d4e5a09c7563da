#include "gate/gate.h"

#include <errno.h>
#include <string.h>

#include "gate/inside.h"
#include "gate/note.h"
#include "gate/refresh.h"
#include "gate/slice.h"
#include "state/control.h"
#include "state/slots.h"
#include "sys/clock.h"

/*
 * The switch (`gusset off`, `gusset mode`) wins over the environment, that over the rule and the file. A
 * host's own switch is closer to the call than that of all; but off is off.
 */
static enum policy_mode mode_of(const struct ready *ready, uint64_t control, const char *host,
                                enum policy_mode rule_mode)
{
    unsigned switched = control_switch(control);

    if (control & CONTROL_HAS_HOSTS && switched != 1 + POLICY_OFF) {
        unsigned own = control_host_switch(ready->state.header, host, strlen(host));
        switched = own ? own : switched;
    }
    if (switched)
        return (enum policy_mode)(switched - 1);
    return ready->environment_mode >= 0 ? (enum policy_mode)ready->environment_mode : rule_mode;
}

/* A call in shadow has a memory of its own, in which tokens, budget and probes are spent that in truth are
 * not; what others see is untouched. */
static size_t name_of(const struct gate_call *call, const char *policy, char *name, size_t room)
{
    const char *parts[] = {policy, call->shadow ? "~shadow" : ""};
    size_t length = 0;

    for (int i = 0; i < 2; i++)
        for (const char *c = parts[i]; *c && length < room; c++)
            name[length++] = *c;
    return length;
}

/* Whether the host's policies have their memory together. */
static bool is_by_host(const struct gate_call *call)
{
    return inside_settings(call)->breaker.scope == POLICY_SCOPE_HOST && inside_applies(call, POLICY_BREAKER);
}

/*
 * Tenants have buckets of their own, and so have rules and policies whose limit is not that of those whose
 * memory they share: a slot named by host, policy and a hash of the key, which may be a secret and must not
 * be read in the state.
 */
static void find_bucket(struct ready *ready, struct gate_call *call, size_t host_length, uint64_t now_ms)
{
    char name[LAYOUT_POLICY_TEXT + 17];
    const char *key = call->policy->limit_key ? call->policy->limit_key : "";
    const uint64_t apart = call->policy->limit_apart;

    call->bucket = call->slot;
    call->bucket_key = call->key;
    if (!inside_applies(call, POLICY_LIMIT) || !(*key || apart || is_by_host(call)))
        return;
    uint64_t hash = slots_key("", 0, key, strlen(key)) + apart;
    size_t length = name_of(call, call->policy->name, name, LAYOUT_POLICY_TEXT);
    name[length++] = '/';
    for (int shift = 60; shift >= 0; shift -= 4)
        name[length++] = "0123456789abcdef"[hash >> shift & 15];
    call->bucket = slots_take(&ready->state, call->host, host_length, name, length, now_ms);
    call->bucket_key = slots_key(call->host, host_length, name, length);
}

/* Where the host's memory lies: by host and policy, or by host alone. */
static bool find_memory(struct ready *ready, struct gate_call *call, size_t host_length, uint64_t now_ms)
{
    char name[LAYOUT_POLICY_TEXT];
    size_t length = name_of(call, is_by_host(call) ? "" : call->policy->name, name, sizeof name);

    call->slot = slots_take(&ready->state, call->host, host_length, name, length, now_ms);
    call->budget_slice = call->outcome_slice = (struct slice){0};
    if (!call->slot)
        return false;
    call->key = slots_key(call->host, host_length, name, length);
    find_bucket(ready, call, host_length, now_ms);
    call->tally = NULL;
    if (ready->tally.header)
        call->tally = slots_take(&ready->tally, call->host, host_length, name, length, now_ms);
    return call->bucket != NULL;
}

void gate_recall(struct gate_call *call)
{
    struct layout_host *slot = call->slot, *bucket = call->bucket;

    if (slots_is_still(slot, call->key) && slots_is_still(bucket, call->bucket_key))
        return;
    if (find_memory(call->ready, call, strlen(call->host), clock_now_us() / 1000))
        return;
    call->slot = slot; /* where there is no other to be had */
    call->bucket = bucket;
}

/* A call that may take no longer in all has no time for tries beyond that, either. 0: no limit. */
static uint64_t whole_ms(const struct policy_timeouts *limits)
{
    bool is_transfer = limits->transfer_ms && (!limits->total_ms || limits->transfer_ms < limits->total_ms);
    return is_transfer ? limits->transfer_ms : limits->total_ms;
}

/* What each call starts with, whether its memory was searched for or is known. */
static inline void begin(struct gate_call *call)
{
    const struct policy *settings = inside_settings(call);

    gate_give_up(call); /* of a call that was never closed: its program left by longjmp */
    call->attempt = call->repeats = 0;
    call->backoff_ms = 0;
    call->round = 0;
    call->attempt_ended = call->would_refuse = call->failed = call->has_token = call->has_waited = false;
    call->is_routine = call->is_repeat = false;
    call->over_us = call->queued_us = call->began_us = 0;
    call->is_timed = call->is_slow = false;
    call->wants_answer = inside_applies(call, POLICY_BREAKER) && settings->breaker.rule.slow_ms;
    call->outcome = (struct outcome){0};
    call->total_us = inside_applies(call, POLICY_TIMEOUT) ? whole_ms(&settings->timeout) * 1000 : 0;
    call->deadline_us = call->total_us ? call->opened_us + call->total_us : 0;
    if (call->ready->ends_us && (!call->deadline_us || call->ready->ends_us < call->deadline_us))
        call->deadline_us = call->ready->ends_us;
    slice_count(&call->budget_slice, call->slot->budget, RETRY_BUDGET_WINDOW_MS, call->opened_us, 1, 0);
    note_count(call, LAYOUT_COUNT_calls);
    note_request(call);
}

/* Whether the call's rules are those that hold now; if not, it holds those instead. NULL: there are none. */
static struct ready *hold(struct gate_call *call)
{
    struct ready *ready = gate_ready(false);

    if (call->ready && call->ready == ready)
        return ready;
    gate_forget(call);
    return call->ready = ready_hold();
}

void gate_forget(struct gate_call *call)
{
    gate_give_up(call);
    if (call->ready)
        ready_drop(call->ready);
    call->ready = NULL;
    call->policy = NULL;
    call->is_routine = false;
}

bool gate_open_matched(struct gate_call *call, const struct place *place, const struct rules_match *match)
{
    struct ready *ready = call->ready;
    size_t host_length = place_print(place, call->host);

    call->policy = NULL;
    call->is_routine = false;
    call->method = 0;
    call->control = control_word(ready->state.header);
    enum policy_mode mode = mode_of(ready, call->control, call->host, match->mode);
    if (mode == POLICY_OFF)
        return false;
    call->policy = match->policy;
    call->rule_mode = match->mode;
    call->is_moving = match->is_moving;
    call->route = (struct gate_route){.slot = NULL};
    call->shadow = mode == POLICY_SHADOW;
    call->fault = REHEARSAL_NONE;
    call->opened_us = clock_now_us();
    if (!find_memory(ready, call, host_length, call->opened_us / 1000)) {
        call->policy = NULL;
        return false;
    }
    begin(call);
    return true;
}

bool gate_matches(struct gate_call *call, const struct rules_query *query, struct rules_match *match)
{
    struct ready *ready = gate_ready(false);

    if (!ready)
        return false;
    refresh_look(ready, false);
    ready = hold(call);
    return ready && rules_find(ready->rules, query, match) &&
           (match->mode != POLICY_OFF || ready->environment_mode >= 0 ||
            control_word(ready->state.header) & (CONTROL_SWITCH | CONTROL_HAS_HOSTS));
}

bool gate_enforces(const struct ready *ready, const struct place *place)
{
    const struct rules_query query = {.place = place};
    struct rules_match match;
    char host[PLACE_TEXT_MAX];

    place_print(place, host);
    return rules_find(ready->rules, &query, &match) &&
           mode_of(ready, control_word(ready->state.header), host, match.mode) == POLICY_ENFORCE;
}

bool gate_open(struct gate_call *call, const struct rules_query *query, bool may_compile)
{
    struct rules_match match;
    struct ready *ready = gate_ready(may_compile);

    call->policy = NULL;
    call->is_routine = false;
    call->unmatched = 0;
    if (!ready)
        return false;
    refresh_look(ready, may_compile);
    ready = hold(call);
    if (!ready)
        return false;
    if (!rules_find(ready->rules, query, &match)) {
        call->unmatched = ready->number;
        return false;
    }
    bool is_opened = gate_open_matched(call, query->place, &match);
    call->method = query->method;
    return is_opened;
}

bool gate_is_unmatched(const struct gate_call *call)
{
    struct ready *ready = gate_ready(false);

    if (!ready || call->unmatched != ready->number)
        return false;
    return !refresh_look(ready, true);
}

static __attribute__((noinline)) bool reopen(struct gate_call *call)
{
    struct ready *ready = gate_ready(false);

    if (!ready || !call->policy || call->is_moving)
        return false;
    if (refresh_look(ready, true) || ready != call->ready)
        return false;
    call->control = control_word(ready->state.header);
    enum policy_mode mode = mode_of(ready, call->control, call->host, call->rule_mode);
    if (mode == POLICY_OFF || call->shadow != (mode == POLICY_SHADOW))
        return false;
    call->opened_us = clock_now_us();
    if (!slots_touch(call->slot, call->key, call->opened_us / 1000) ||
        !slots_is_still(call->bucket, call->bucket_key))
        return false;
    if (call->tally && !slots_is_still(call->tally, call->key))
        return false;
    begin(call);
    return true;
}

bool gate_reopen(struct gate_call *call)
{
    return gate_repeat(call) || reopen(call);
}

void gate_repeats(struct gate_call *call, unsigned times)
{
    call->repeats = times < UINT16_MAX ? (uint16_t)times : UINT16_MAX;
    call->is_routine = false;
    note_count(call, LAYOUT_COUNT_nested);
}

uint32_t gate_attempts(const struct gate_call *call)
{
    return retry_attempts(&inside_settings(call)->retry, call->repeats);
}
