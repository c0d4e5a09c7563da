/*
 * A seqlock for each event. The number's word says what its slot holds: 0 nothing yet, 1 + n event n,
 * and with CLAIMED set that a writer is at it since the moment in the low bits.
 *
 * A writer takes its number, claims the slot by compare-and-swap, stores the words, publishes. Should
 * it find the slot claimed, a writer a whole round behind is still at it (preempted, or killed); two in
 * one slot would mix, so the later event is dropped, a gap as if it had been overwritten. A claim older
 * than CLAIM_MS is a dead writer's and is taken over; should it have been stopped only, and go on, it
 * notices when it publishes and empties the slot that it has smeared.
 *
 * Words are stored with release and loaded with acquire: a reader that has seen a word of a later
 * writer sees that writer's claim when it reads the number again (Boehm, "Can seqlocks get along with
 * programming language memory models?", 2012). No fences, which ThreadSanitizer would not follow.
 */
#include "report/events.h"

#include <string.h>

enum { EVENT_WORDS = sizeof(struct layout_event) / sizeof(uint64_t), CLAIM_MS = 10000 };

static const uint64_t CLAIMED = (uint64_t)1 << 63;
static const uint64_t NUMBERS =
    ((uint64_t)1 << 62) - 1; /* so that damage to event_next never reads as a claim */

static_assert(offsetof(struct layout_event, number) == 0, "word 0 is the number");
static_assert((LAYOUT_EVENTS & (LAYOUT_EVENTS - 1)) == 0, "a slot is the number's low bits");

static struct layout_event *slot_of(struct map *map, uint64_t number)
{
    return &map->events[number & (LAYOUT_EVENTS - 1)];
}

static bool claim_is_dead(uint64_t claim, uint64_t now_ms)
{
    const uint64_t then_ms = claim & ~CLAIMED;
    return (now_ms > then_ms ? now_ms - then_ms : then_ms - now_ms) > CLAIM_MS;
}

/* Whether the slot holds an event later than number: this writer was overtaken before it began. */
static bool is_overtaken(struct map *map, uint64_t held, uint64_t number)
{
    return held > number + 1 && held - 1 < events_end(map);
}

static bool claim(struct map *map, struct layout_event *slot, uint64_t number, uint64_t claimed,
                  uint64_t now_ms)
{
    uint64_t held = atomic_load_explicit(&slot->number, memory_order_relaxed);
    if (held & CLAIMED ? !claim_is_dead(held, now_ms) : is_overtaken(map, held, number))
        return false;
    return atomic_compare_exchange_strong_explicit(&slot->number, &held, claimed, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

static void publish(struct layout_event *slot, uint64_t claimed, uint64_t number)
{
    uint64_t held = claimed;
    if (atomic_compare_exchange_strong_explicit(&slot->number, &held, number + 1, memory_order_release,
                                                memory_order_relaxed))
        return;
    if (!(held & CLAIMED))
        atomic_compare_exchange_strong(&slot->number, &held, 0);
}

static void copy_host(char to[sizeof((struct layout_event *)0)->host], const char *from)
{
    const size_t room = sizeof((struct layout_event *)0)->host;
    const size_t length = strnlen(from, room - 1);
    memcpy(to, from, length);
    memset(to + length, 0, room - length);
}

void events_put(struct map *map, const struct events_entry *entry)
{
    if (!map->header)
        return;
    struct layout_event event = {
        .unix_ms = entry->unix_ms,
        .key = entry->key,
        .pid = entry->pid,
        .detail = entry->detail,
        .kind = (uint8_t)entry->kind,
        .outcome = (uint8_t)entry->outcome,
        .attempt = entry->attempt,
        .status = entry->status,
        .shadow = entry->shadow,
    };
    copy_host(event.host, entry->host);
    uint64_t words[EVENT_WORDS];
    memcpy(words, &event, sizeof words);

    const uint64_t number =
        atomic_fetch_add_explicit(&map->header->event_next, 1, memory_order_relaxed) & NUMBERS;
    struct layout_event *slot = slot_of(map, number);
    const uint64_t claimed = CLAIMED | entry->unix_ms;
    if (!claim(map, slot, number, claimed, entry->unix_ms))
        return;
    _Atomic uint64_t *shared = &slot->number;
    for (unsigned i = 1; i < EVENT_WORDS; i++)
        atomic_store_explicit(&shared[i], words[i], memory_order_release);
    publish(slot, claimed, number);
}

/* Copies event number out of its slot. Returns false when it is not there, or not there any more. */
static bool take_copy(struct map *map, uint64_t number, struct layout_event *event)
{
    uint64_t words[EVENT_WORDS];
    _Atomic uint64_t *shared = &slot_of(map, number)->number;
    words[0] = atomic_load_explicit(&shared[0], memory_order_acquire);
    if (words[0] != number + 1)
        return false;
    for (unsigned i = 1; i < EVENT_WORDS; i++)
        words[i] = atomic_load_explicit(&shared[i], memory_order_acquire);
    if (atomic_load_explicit(&shared[0], memory_order_relaxed) != number + 1)
        return false;
    memcpy(event, words, sizeof words);
    return event->kind > EVENTS_NONE && event->kind < EVENTS_KINDS;
}

bool events_next(struct map *map, uint64_t *number, struct events_entry *entry)
{
    const uint64_t end = events_end(map);
    uint64_t n = *number;
    if (end > LAYOUT_EVENTS && n < end - LAYOUT_EVENTS)
        n = end - LAYOUT_EVENTS;
    struct layout_event event;
    while (n < end && !take_copy(map, n, &event))
        n++;
    if (n >= end)
        return false; /* *number stays: an event that is being written may yet appear there */
    *number = n + 1;
    *entry = (struct events_entry){
        .number = n,
        .unix_ms = event.unix_ms,
        .key = event.key,
        .pid = event.pid,
        .detail = event.detail,
        .kind = (enum events_kind)event.kind,
        .outcome = event.outcome < OUTCOME_TYPES ? (enum outcome_type)event.outcome : OUTCOME_UNKNOWN,
        .attempt = event.attempt,
        .status = event.status,
        .shadow = event.shadow != 0,
    };
    event.host[sizeof event.host - 1] = '\0';
    copy_host(entry->host, event.host);
    return true;
}

uint64_t events_end(struct map *map)
{
    if (!map->header)
        return 0;
    return atomic_load_explicit(&map->header->event_next, memory_order_acquire) & NUMBERS;
}

const char *events_kind_name(enum events_kind kind)
{
    static const char *const names[EVENTS_KINDS] = {[EVENTS_NONE] = "none",
#define X(name, text) [EVENTS_##name] = text,
                                                    EVENTS_LIST(X)
#undef X
    };
    return (unsigned)kind < EVENTS_KINDS ? names[kind] : "none";
}
