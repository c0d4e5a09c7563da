#include "gate/bulkhead.h"

#include <errno.h>

#include "core/owner.h"
#include "gate/inside.h"
#include "state/places.h"
#include "sys/clock.h"
#include "sys/generation.h"
#include "sys/process.h"
#include "sys/random.h"

enum {
    LEASE_S = 3600,       /* of a call that no limit ends: for owners whose process cannot be seen */
    LOOK_MS = 20,         /* between two looks at a full bulkhead, and half as much more by chance */
    SEARCH_US = 20 * 1000 /* owners that are gone are searched for no more often: it costs system calls */
};

/* ---- owners ---- */

/* Two places in a row are often one process's: what was found of the last is remembered for one search. */
struct search {
    struct map *map;
    uint32_t space;
    uint64_t last;
    bool last_is_gone;
};

static bool has_ended(const struct owner *owner)
{
    struct process found;
    return !process_runs(owner->pid, &found) || owner_is_another(owner, found.started, found.stack);
}

static bool is_gone(uint64_t word, void *data)
{
    struct search *search = data;

    if (word == search->last)
        return search->last_is_gone;
    struct owner owner = owner_unpack(word);
    bool can_be_seen = owner.space == search->space && owner.space != OWNER_SPACE_UNKNOWN;
    search->last = word;
    search->last_is_gone =
        can_be_seen ? has_ended(&owner) : owner_is_expired(&owner, clock_now_us() / 1000000);
    return search->last_is_gone;
}

static struct search search_of(struct map *map)
{
    return (struct search){.map = map, .space = places_space(map, process_self().space)};
}

bool bulkhead_owner_is_gone(uint64_t owner, void *map)
{
    struct search search = search_of(map);
    return is_gone(owner, &search);
}

/* A call that the policy ends has its time, one that it does not end an hour. */
static uint64_t lease_s(const struct gate_call *call)
{
    uint32_t limit_ms = inside_settings(call)->timeout.transfer_ms;
    return inside_applies(call, POLICY_TIMEOUT) && limit_ms ? limit_ms / 1000 + 60 : LEASE_S;
}

static uint64_t word_of_self(const struct gate_call *call, struct map *map)
{
    struct process self = process_self();
    struct owner owner = {.pid = self.pid,
                          .started = (uint32_t)self.started,
                          .image = owner_image(self.stack),
                          .space = places_space(map, self.space),
                          .until_s = owner_until_s(clock_now_us() / 1000000, lease_s(call))};
    return owner_pack(&owner);
}

/* ---- asking ---- */

static bool may_search(uint64_t now_us)
{
    static _Atomic uint64_t searched_us;
    uint64_t last_us = atomic_load_explicit(&searched_us, memory_order_relaxed);

    return now_us - last_us >= SEARCH_US && atomic_compare_exchange_strong(&searched_us, &last_us, now_us);
}

/* 0, -EAGAIN or -ENOSPC. */
static int take_for(struct gate_call *call, uint64_t owner, uint64_t now_us, _Atomic uint64_t **place)
{
    struct map *map = &call->ready->state;
    uint32_t most = inside_settings(call)->bulkhead.calls;
    int error = places_take(map, call->key, most, owner, NULL, NULL, place);

    if (error == -EAGAIN && may_search(now_us)) {
        struct search search = search_of(map);
        error = places_take(map, call->key, most, owner, is_gone, &search, place);
    }
    return error;
}

static int take(struct gate_call *call, uint64_t now_us)
{
    uint64_t owner = word_of_self(call, &call->ready->state);
    int error = take_for(call, owner, now_us, &call->place);

    if (error == 0) {
        call->place_owner = owner;
        call->place_generation = generation_now();
    }
    return error;
}

/* Until when the call may stay; it began to wait when it first met a full bulkhead. */
static uint64_t patience_end_us(struct gate_call *call, uint64_t now_us)
{
    if (!call->queued_us)
        call->queued_us = now_us;
    uint64_t end_us = call->queued_us + (uint64_t)inside_settings(call)->bulkhead.wait_ms * 1000;
    return call->deadline_us && call->deadline_us < end_us ? call->deadline_us : end_us;
}

struct verdict bulkhead_ask(struct gate_call *call, bool may_wait)
{
    if (call->place)
        return (struct verdict){.kind = VERDICT_GO};
    uint64_t now_us = clock_now_us();
    int error = take(call, now_us);
    if (error != -EAGAIN)
        return (struct verdict){.kind = VERDICT_GO};
    uint64_t end_us = patience_end_us(call, now_us);
    if (!may_wait || now_us >= end_us)
        return (struct verdict){VERDICT_REFUSE, VERDICT_CROWDED, 0};
    uint64_t left_ms = (end_us - now_us + 999) / 1000, look_ms = LOOK_MS + random_32() % (LOOK_MS / 2);
    return (struct verdict){VERDICT_LATER, VERDICT_CROWDED,
                            (uint32_t)(left_ms < look_ms ? left_ms : look_ms)};
}

bool bulkhead_takes_aside(struct gate_call *call)
{
    return !call->place || take_for(call, call->place_owner, clock_now_us(), &call->aside) == 0;
}

void bulkhead_leave_aside(struct gate_call *call)
{
    if (call->aside && call->place_generation == generation_now())
        places_leave(call->aside, call->place_owner);
    call->aside = NULL;
}

void bulkhead_leave(struct gate_call *call)
{
    bulkhead_leave_aside(call);
    if (!call->place)
        return;
    if (call->place_generation == generation_now())
        places_leave(call->place, call->place_owner);
    call->place = NULL;
}
