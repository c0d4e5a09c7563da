#include "gate/gate.h"

#include <errno.h>
#include <string.h>

#include "gate/note.h"
#include "gate/route.h"
#include "report/histogram.h"
#include "report/log.h"
#include "state/slots.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { LEASE_MS = 60000 }; /* of a probe whose policy sets no limits on an attempt */

static const struct policy *settings_of(const struct gate_call *call)
{
    return call->policy->settings;
}

static bool applies(const struct gate_call *call, enum policy_group group)
{
    return settings_of(call)->groups & group;
}

/* ---- open ---- */

static uint64_t switch_of(const struct ready *ready)
{
    return atomic_load_explicit(&ready->state.header->mode, memory_order_relaxed);
}

/* The switch (`gusset off`) wins over the environment, that over the rule and the file. */
static enum policy_mode mode_of(const struct ready *ready, uint64_t switched, enum policy_mode rule_mode)
{
    if (switched && switched <= 1 + POLICY_OFF)
        return (enum policy_mode)(switched - 1);
    return ready->environment_mode >= 0 ? (enum policy_mode)ready->environment_mode : rule_mode;
}

/*
 * Where the host's memory lies: by host and policy, or by host alone. A call in shadow has a memory of
 * its own, in which tokens, budget and probes are spent that in truth are not; what others see is
 * untouched.
 */
static size_t name_memory(const struct gate_call *call, char *name, size_t room)
{
    bool by_host = settings_of(call)->breaker.scope == POLICY_SCOPE_HOST && applies(call, POLICY_BREAKER);
    const char *parts[] = {by_host ? "" : call->policy->name, call->shadow ? "~shadow" : ""};
    size_t length = 0;

    for (int i = 0; i < 2; i++)
        for (const char *c = parts[i]; *c && length < room; c++)
            name[length++] = *c;
    return length;
}

/*
 * Tenants have buckets of their own: a slot named by host, policy and a hash of the key, which may be
 * a secret and must not be read in the state.
 */
static void find_bucket(struct ready *ready, struct gate_call *call, const char *memory, size_t length,
                        size_t host_length, uint64_t now_ms)
{
    char name[LAYOUT_POLICY_TEXT + 17];
    const char *key = call->policy->limit_key;

    call->bucket = call->slot;
    call->bucket_key = call->key;
    if (!applies(call, POLICY_LIMIT) || !key || !*key)
        return;
    uint64_t hash = slots_key("", 0, key, strlen(key));
    memcpy(name, memory, length);
    name[length++] = '/';
    for (int shift = 60; shift >= 0; shift -= 4)
        name[length++] = "0123456789abcdef"[hash >> shift & 15];
    call->bucket = slots_take(&ready->state, call->host, host_length, name, length, now_ms);
    call->bucket_key = slots_key(call->host, host_length, name, length);
}

static bool find_memory(struct ready *ready, struct gate_call *call, const struct place *place)
{
    char name[LAYOUT_POLICY_TEXT];
    uint64_t now_ms = call->opened_us / 1000;
    size_t host_length = place_print(place, call->host);
    size_t length = name_memory(call, name, sizeof name);

    call->slot = slots_take(&ready->state, call->host, host_length, name, length, now_ms);
    call->budget_slice = call->outcome_slice = (struct slice){0};
    if (!call->slot)
        return false;
    call->key = slots_key(call->host, host_length, name, length);
    find_bucket(ready, call, name, length, host_length, now_ms);
    call->tally = NULL;
    if (ready->tally.header)
        call->tally = slots_take(&ready->tally, call->host, host_length, name, length, now_ms);
    return call->bucket != NULL;
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
    const struct policy *settings = settings_of(call);

    call->attempt = call->repeats = 0;
    call->backoff_ms = 0;
    call->round = 0;
    call->attempt_ended = call->would_refuse = call->failed = call->has_token = call->has_waited = false;
    call->is_routine = call->is_repeat = false;
    call->over_us = 0;
    call->outcome = (struct outcome){0};
    call->total_us = applies(call, POLICY_TIMEOUT) ? whole_ms(&settings->timeout) * 1000 : 0;
    call->deadline_us = call->total_us ? call->opened_us + call->total_us : 0;
    slice_count(&call->budget_slice, call->slot->budget, RETRY_BUDGET_WINDOW_MS, call->opened_us, 1, 0);
    note_count(call, LAYOUT_COUNT_calls);
    note_request(call);
}

bool gate_open_matched(struct gate_call *call, const struct place *place, const struct rules_match *match)
{
    struct ready *ready = gate_ready(false);

    call->policy = NULL;
    call->is_routine = false;
    if (!ready)
        return false;
    call->ready = ready;
    call->switched = switch_of(ready);
    enum policy_mode mode = mode_of(ready, call->switched, match->mode);
    if (mode == POLICY_OFF)
        return false;
    call->policy = match->policy;
    call->rule_mode = match->mode;
    call->route = (struct gate_route){.slot = NULL};
    call->shadow = mode == POLICY_SHADOW;
    call->opened_us = clock_now_us();
    if (!find_memory(ready, call, place)) {
        call->policy = NULL;
        return false;
    }
    begin(call);
    return true;
}

bool gate_matches(const struct rules_query *query, struct rules_match *match)
{
    struct ready *ready = gate_ready(false);

    return ready && rules_find(ready->rules, query, match) &&
           mode_of(ready, switch_of(ready), match->mode) != POLICY_OFF;
}

bool gate_enforces(const struct rules_query *query)
{
    struct ready *ready = gate_ready(false);
    struct rules_match match;

    return ready && rules_find(ready->rules, query, &match) &&
           mode_of(ready, switch_of(ready), match.mode) == POLICY_ENFORCE;
}

bool gate_open(struct gate_call *call, const struct rules_query *query, bool may_compile)
{
    struct ready *ready = gate_ready(may_compile);
    struct rules_match match;

    call->policy = NULL;
    call->is_routine = false;
    call->unmatched = NULL;
    if (!ready)
        return false;
    if (!rules_find(ready->rules, query, &match)) {
        call->unmatched = ready->rules;
        return false;
    }
    return gate_open_matched(call, query->place, &match);
}

bool gate_is_unmatched(const struct gate_call *call)
{
    const struct ready *ready = gate_ready(false);
    return ready && call->unmatched == ready->rules;
}

/* What begin and gate_admit set is as it was after the last call, but for what is set here. */
bool gate_repeat(struct gate_call *call)
{
    const struct ready *ready = gate_ready(false);
    struct layout_host *slot = call->slot;

    if (!call->is_routine || ready != call->ready || switch_of(ready) != call->switched ||
        !slots_is_still(slot, call->key) ||
        breaker_state(atomic_load_explicit(&slot->circuit, memory_order_relaxed)) != BREAKER_CLOSED)
        return false;
    uint64_t now_us = clock_now_us();
    if (!slice_count_now(&call->budget_slice, now_us, 1, 0))
        return false; /* another slice begins: the slot is found used, too, at such times */
    call->opened_us = now_us;
    call->deadline_us = call->total_us ? now_us + call->total_us : 0;
    call->over_us = 0;
    call->attempt_ended = false;
    call->is_repeat = true;
    atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_calls], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->counters[LAYOUT_COUNT_attempts], 1, memory_order_relaxed);
    return true;
}

bool gate_reopen(struct gate_call *call)
{
    struct ready *ready = gate_ready(false);

    if (!ready || !call->policy)
        return false;
    if (call->is_routine && gate_repeat(call))
        return true;
    call->ready = ready;
    call->switched = switch_of(ready);
    enum policy_mode mode = mode_of(ready, call->switched, call->rule_mode);
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

void gate_repeats(struct gate_call *call, unsigned times)
{
    call->repeats = times < UINT16_MAX ? (uint16_t)times : UINT16_MAX;
    call->is_routine = false;
    note_count(call, LAYOUT_COUNT_nested);
}

uint32_t gate_attempts(const struct gate_call *call)
{
    return retry_attempts(&settings_of(call)->retry, call->repeats);
}

/* ---- admit ---- */

static uint32_t lease_ms(const struct gate_call *call)
{
    const struct policy_timeouts *limits = &settings_of(call)->timeout;

    if (!applies(call, POLICY_TIMEOUT) || !limits->attempt_ms)
        return LEASE_MS;
    return limits->connect_ms + limits->attempt_ms;
}

static struct verdict ask_circuit(struct gate_call *call)
{
    const struct breaker_rule *rule = &settings_of(call)->breaker.rule;
    struct breaker_admission admission = {.answer = BREAKER_ADMITS};
    _Atomic uint64_t *circuit = &call->slot->circuit;

    if (!applies(call, POLICY_BREAKER))
        return (struct verdict){.kind = VERDICT_GO};
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;
    do {
        next = breaker_admit(old, rule, clock_now_us() / 1000, lease_ms(call), &admission);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    if (admission.answer == BREAKER_REFUSES)
        return (struct verdict){VERDICT_REFUSE, VERDICT_CIRCUIT_OPEN, (uint32_t)admission.retry_ms};
    if (admission.answer == BREAKER_PROBES)
        call->round = admission.round;
    return (struct verdict){.kind = VERDICT_GO};
}

/* No wait may be longer than the rule allows, or end after the call's deadline. */
static uint64_t patience_us(const struct gate_call *call, bool may_wait, uint64_t now_us)
{
    uint64_t patience = may_wait ? (uint64_t)settings_of(call)->limit.rule.wait_ms * 1000 : 0;

    if (!call->deadline_us || now_us + patience < call->deadline_us)
        return patience;
    return now_us < call->deadline_us ? call->deadline_us - now_us : 0;
}

static struct verdict ask_limit(struct gate_call *call, bool may_wait)
{
    const struct limit_rule *rule = &settings_of(call)->limit.rule;
    _Atomic uint64_t *word = &call->bucket->limit;
    uint64_t old = atomic_load_explicit(word, memory_order_relaxed), next, wait_us;

    if (call->has_token) {
        call->has_token = false;
        return (struct verdict){.kind = VERDICT_GO};
    }
    do {
        uint64_t now_us = clock_now_us();
        wait_us = limit_take(old, rule, now_us, &next);
        if (wait_us > patience_us(call, may_wait, now_us))
            return (struct verdict){VERDICT_REFUSE, VERDICT_LIMITED, (uint32_t)(wait_us / 1000 + 1)};
    } while (!atomic_compare_exchange_weak(word, &old, next));
    if (!wait_us)
        return (struct verdict){.kind = VERDICT_GO};
    return (struct verdict){VERDICT_WAIT, VERDICT_NONE, (uint32_t)((wait_us + 999) / 1000)};
}

/* A probe that will not be made, or tells nothing, gives its place back. */
static void withdraw_probe(struct gate_call *call)
{
    _Atomic uint64_t *circuit = &call->slot->circuit;
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;

    if (!call->round)
        return;
    do {
        next = breaker_withdraw(old, call->round);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    call->round = 0;
}

static void note_refusal(struct gate_call *call, const struct verdict *verdict)
{
    bool open = verdict->reason == VERDICT_CIRCUIT_OPEN;

    call->outcome = (struct outcome){.type = open ? OUTCOME_CIRCUIT_OPEN : OUTCOME_LIMITED};
    if (call->shadow)
        note_count(call, LAYOUT_COUNT_would_reject);
    else
        note_count(call, open ? LAYOUT_COUNT_rejected : LAYOUT_COUNT_limited);
    note_event(call, open ? EVENTS_REJECTED : EVENTS_LIMITED, verdict->wait_ms);
}

/* The circuit is closed and no token is needed: the way of nearly every call. */
static bool is_free_to_go(const struct gate_call *call)
{
    if (applies(call, POLICY_LIMIT))
        return false;
    return !applies(call, POLICY_BREAKER) ||
           breaker_state(atomic_load_explicit(&call->slot->circuit, memory_order_relaxed)) == BREAKER_CLOSED;
}

bool gate_is_clear(const struct gate_call *call)
{
    return is_free_to_go(call);
}

void gate_count_unprotected(void)
{
    struct ready *ready = gate_ready(false);
    uintptr_t anywhere = (uintptr_t)&errno; /* differs by thread and process, so that few share a line */

    if (ready)
        atomic_fetch_add_explicit(
            &ready->state.header->unprotected[(anywhere >> 12) % LAYOUT_UNPROTECTED].count, 1,
            memory_order_relaxed);
}

static __attribute__((noinline)) struct verdict ask(struct gate_call *call, bool may_wait)
{
    struct verdict verdict = ask_circuit(call);

    if (verdict.kind != VERDICT_REFUSE && applies(call, POLICY_LIMIT))
        verdict = ask_limit(call, may_wait);
    if (verdict.kind == VERDICT_REFUSE) {
        withdraw_probe(call);
        note_refusal(call, &verdict);
        call->would_refuse = true;
        if (!call->shadow) {
            call->attempt--;
            return verdict;
        }
    }
    note_count(call, LAYOUT_COUNT_attempts);
    if (call->attempt > 1)
        note_count(call, LAYOUT_COUNT_retries);
    if (call->round)
        note_event(call, EVENTS_PROBE, 0);
    if (call->shadow)
        verdict.kind = VERDICT_GO;
    call->has_waited |= verdict.kind == VERDICT_WAIT;
    return verdict;
}

struct verdict gate_admit(struct gate_call *call, bool may_wait)
{
    if (call->is_repeat && !call->attempt_ended) /* admitted already */
        return (struct verdict){.kind = VERDICT_GO};
    call->attempt++;
    call->attempt_ended = call->is_answered = call->is_routine = false;
    call->round = 0;
    if (call->attempt > 1 || !is_free_to_go(call))
        return ask(call, may_wait);
    note_count(call, LAYOUT_COUNT_attempts);
    return (struct verdict){.kind = VERDICT_GO};
}

/* ---- ended ---- */

/* What the program or this machine caused says nothing about the peer. */
static bool tells_of_peer(const struct outcome *outcome)
{
    return outcome->type != OUTCOME_LOCAL && outcome->type != OUTCOME_ABORTED;
}

static void forget_failures(struct gate_call *call)
{
    for (int i = 0; i < WINDOW_SLOTS; i++)
        atomic_store_explicit(&call->slot->outcomes[i], 0, memory_order_relaxed);
}

/* Moves the circuit on; returns whether it refuses the next attempt. */
static __attribute__((noinline)) bool move_circuit(struct gate_call *call, uint64_t now_ms)
{
    const struct breaker_rule *rule = &settings_of(call)->breaker.rule;
    _Atomic uint64_t *circuit = &call->slot->circuit;
    struct window_sum window = {0};

    if (call->failed)
        window = slice_sum(call->slot->outcomes, rule->window_ms, now_ms);
    uint64_t old = atomic_load_explicit(circuit, memory_order_relaxed), next;
    do {
        next = breaker_ended(old, rule, now_ms, call->round, call->failed, window);
    } while (next != old && !atomic_compare_exchange_weak(circuit, &old, next));
    if (breaker_state(next) == BREAKER_OPEN && breaker_state(old) != BREAKER_OPEN) {
        note_count(call, LAYOUT_COUNT_opened);
        note_event(call, EVENTS_OPENED, (uint32_t)breaker_remaining_ms(next, now_ms));
    } else if (breaker_state(next) == BREAKER_CLOSED && breaker_state(old) != BREAKER_CLOSED) {
        forget_failures(call); /* those of the outage would open it again at the first new one */
        note_event(call, EVENTS_CLOSED, 0);
    }
    return breaker_state(next) == BREAKER_OPEN;
}

/* One that was counted as good when it began is not counted again. */
static inline void count_outcome(struct gate_call *call, uint64_t now_us, bool failed)
{
    slice_count(&call->outcome_slice, call->slot->outcomes, settings_of(call)->breaker.rule.window_ms, now_us,
                !call->is_answered, failed);
}

/* Whether a success changes nothing: none has failed. */
static bool is_calm(const struct gate_call *call)
{
    return atomic_load_explicit(&call->slot->circuit, memory_order_relaxed) == breaker_closed();
}

static struct verdict stop(enum verdict_reason reason)
{
    return (struct verdict){.kind = VERDICT_STOP, .reason = reason};
}

static bool may_repeat(const struct gate_call *call, const struct gate_attempt *attempt)
{
    if (!attempt->replayable)
        return false;
    return !attempt->sent || attempt->idempotent || (attempt->method & settings_of(call)->retry.methods);
}

/* One retry out of the budget that all processes share. */
static bool take_budget(struct gate_call *call, uint64_t now_us)
{
    struct window_sum window = slice_sum(call->slot->budget, RETRY_BUDGET_WINDOW_MS, now_us / 1000);

    if (!retry_budget_allows(&settings_of(call)->retry, window))
        return false;
    slice_count(&call->budget_slice, call->slot->budget, RETRY_BUDGET_WINDOW_MS, now_us, 0, 1);
    return true;
}

/*
 * A service's other addresses are tried in turn, under whatever rule: what could not be reached at one has
 * not been asked for yet, and the others are not loaded by the first one's outage.
 */
static bool may_go_elsewhere(const struct gate_call *call, const struct gate_attempt *attempt,
                             uint64_t now_us)
{
    uint8_t type = attempt->outcome.type;

    return call->route.left && attempt->replayable && !attempt->sent &&
           (type == OUTCOME_CONNECT || type == OUTCOME_DNS || type == OUTCOME_TIMEOUT) &&
           !applies(call, POLICY_LIMIT) && (!call->deadline_us || now_us < call->deadline_us);
}

/* The ladder of reasons to stop, cheapest first; the budget is asked last because asking spends it. */
static struct verdict judge(struct gate_call *call, const struct gate_attempt *attempt, bool circuit_open,
                            uint64_t now_us)
{
    const struct retry_rule *rule = &settings_of(call)->retry;

    if (may_go_elsewhere(call, attempt, now_us))
        return (struct verdict){VERDICT_AGAIN, VERDICT_RETRY, 0};
    if (!applies(call, POLICY_RETRY) || !retry_wants(rule, &attempt->outcome))
        return stop(VERDICT_NOT_RETRYABLE);
    if (call->attempt >= gate_attempts(call))
        return stop(VERDICT_EXHAUSTED);
    if (!may_repeat(call, attempt))
        return stop(VERDICT_NOT_REPEATABLE);
    if (circuit_open)
        return stop(VERDICT_CIRCUIT_OPEN);

    uint32_t wait_ms = retry_delay_ms(rule, call->attempt + 1u, call->backoff_ms, random_32());
    call->backoff_ms = wait_ms;
    if (attempt->retry_after_ms > (int64_t)wait_ms && rule->retry_after_ms) {
        if (attempt->retry_after_ms > (int64_t)rule->retry_after_ms)
            return stop(VERDICT_DEADLINE); /* the peer asks for more patience than the rule has */
        wait_ms = (uint32_t)attempt->retry_after_ms;
    }
    if (call->deadline_us && now_us + (uint64_t)wait_ms * 1000 >= call->deadline_us)
        return stop(VERDICT_DEADLINE);
    if (!take_budget(call, now_us))
        return stop(VERDICT_BUDGET);
    /* The token is taken now: once the reply is thrown away it is too late to be refused one. */
    if (applies(call, POLICY_LIMIT)) {
        struct verdict limit = ask_limit(call, true);
        if (limit.kind == VERDICT_REFUSE)
            return stop(VERDICT_LIMITED);
        call->has_token = true;
        if (limit.wait_ms > wait_ms)
            wait_ms = limit.wait_ms;
    }
    return (struct verdict){VERDICT_AGAIN, VERDICT_RETRY, wait_ms};
}

static void note_verdict(struct gate_call *call, const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_AGAIN) {
        if (call->shadow)
            note_count(call, LAYOUT_COUNT_would_retry);
        note_event(call, EVENTS_RETRY, verdict->wait_ms);
    } else if (verdict->reason == VERDICT_EXHAUSTED) {
        note_count(call, LAYOUT_COUNT_exhausted);
        note_event(call, EVENTS_EXHAUSTED, 0);
    } else if (verdict->reason == VERDICT_BUDGET) {
        note_count(call, LAYOUT_COUNT_unfunded);
        note_event(call, EVENTS_UNFUNDED, 0);
    }
}

/* Whether the attempt failed for the circuit's purposes. */
static bool has_failed(const struct gate_call *call, const struct gate_attempt *attempt)
{
    if (attempt->is_elsewhere || !tells_of_peer(&attempt->outcome))
        return false;
    return !applies(call, POLICY_BREAKER) ||
           outcome_set_has(&settings_of(call)->breaker.on, &attempt->outcome);
}

/* Feeds the circuit, or gives a probe back whose outcome says nothing of the host. Whether the next is
 * refused. */
static bool tell_circuit(struct gate_call *call, const struct gate_attempt *attempt, uint64_t now_us)
{
    if (!applies(call, POLICY_BREAKER))
        return false;
    if (!attempt->is_elsewhere && tells_of_peer(&attempt->outcome)) {
        count_outcome(call, now_us, call->failed);
        return move_circuit(call, now_us / 1000);
    }
    withdraw_probe(call);
    return false;
}

static inline void feed_success(struct gate_call *call, uint64_t now_us)
{
    if (!call->is_answered)
        count_outcome(call, now_us, false);
    if (!is_calm(
            call)) /* that breaks a row of failures once more where it was answered: resets end late, too */
        move_circuit(call, now_us / 1000);
}

/* A probe must have ended well. */
void gate_answered(struct gate_call *call)
{
    if (call->is_answered || call->round || !applies(call, POLICY_BREAKER))
        return;
    call->failed = false;
    feed_success(call, clock_now_us());
    call->is_answered = true;
    call->is_routine = false;
}

void gate_succeeded(struct gate_call *call, struct outcome outcome)
{
    if (call->attempt_ended)
        return;
    call->attempt_ended = true;
    call->outcome = outcome;
    call->failed = false;
    if (call->route.slot)
        route_ended(call, &outcome);
    if (call->would_refuse) { /* shadow: this attempt would not have been made, so it is not counted */
        call->last = stop(VERDICT_CIRCUIT_OPEN);
        return;
    }
    call->last = stop(VERDICT_SUCCEEDED);
    call->over_us = clock_now_us();
    if (applies(call, POLICY_BREAKER))
        feed_success(call, call->over_us);
    note_response(call);
}

struct verdict gate_ended(struct gate_call *call, const struct gate_attempt *attempt)
{
    if (call->attempt_ended)
        return call->last;
    if (attempt->outcome.type == OUTCOME_SUCCESS) {
        gate_succeeded(call, attempt->outcome);
        return call->last;
    }
    call->attempt_ended = true;
    call->is_routine = false;
    call->outcome = attempt->outcome;
    if (call->route.slot)
        route_ended(call, &attempt->outcome);
    if (call->would_refuse) {
        call->last = stop(VERDICT_CIRCUIT_OPEN);
        return call->last;
    }
    uint64_t now_us = clock_now_us();
    call->failed = has_failed(call, attempt);
    bool circuit_open = tell_circuit(call, attempt, now_us);
    note_response(call);
    if (call->failed)
        note_count(call, LAYOUT_COUNT_failures);
    call->last = judge(call, attempt, circuit_open, now_us);
    note_verdict(call, &call->last);
    if (call->shadow)
        call->last.kind = VERDICT_STOP;
    return call->last;
}

/* ---- close ---- */

/* Whether the next call may be opened by gate_repeat. */
static bool was_routine(const struct gate_call *call)
{
    return !call->shadow && !call->is_answered && !call->has_waited && !call->repeats && !call->tally &&
           !log_wants(LOG_DEBUG) &&
           (settings_of(call)->groups & (POLICY_BREAKER | POLICY_LIMIT)) == POLICY_BREAKER;
}

void gate_close(struct gate_call *call)
{
    uint64_t took_us = (call->over_us ? call->over_us : clock_now_us()) - call->opened_us;

    if (call->over_us && call->attempt == 1) { /* the way of nearly every call */
        note_latency(call, took_us);
        call->is_routine = was_routine(call);
        return;
    }
    call->is_routine = false;
    if (!call->attempt_ended)
        withdraw_probe(call);
    if (call->attempt_ended && call->attempt > 1 && call->outcome.type == OUTCOME_SUCCESS) {
        note_count(call, LAYOUT_COUNT_rescued);
        note_event(call, EVENTS_RESCUED, (uint32_t)(took_us / 1000));
    } else if (call->failed || call->outcome.type == OUTCOME_CIRCUIT_OPEN ||
               call->outcome.type == OUTCOME_LIMITED) {
        note_count(call, LAYOUT_COUNT_failed);
    }
    note_latency(call, took_us);
}

void gate_repeated(struct gate_call *call)
{
    uint64_t now_us = clock_now_us();

    call->attempt_ended = true;
    call->over_us = now_us;
    feed_success(call, now_us);
    histogram_add(call->slot->latency, now_us - call->opened_us);
}
