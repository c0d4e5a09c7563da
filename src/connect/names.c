#include "connect/names.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "connect/peer.h"
#include "sys/together.h"

enum {
    BUCKETS = 256, /* a power of two */
    WAYS = 16,     /* names of the addresses of a bucket; their tags are a cache line */
    NAME_ROOM = 104,
    WORDS = NAME_ROOM / 8,
    LIFE_S = 3600,
    CREDIT_S = 30 /* what is not connected to by then was looked up for something else */
};

/*
 * Even version: whole; odd: being written. A writer that loses the race leaves the slot to the other. What
 * stands below the name changes while the slot stays the same name's.
 */
struct slot {
    _Atomic uint64_t version;
    _Atomic uint64_t address[2];
    _Atomic uint64_t name[WORDS];
    _Atomic uint64_t length;
    _Atomic uint64_t first;  /* number of the oldest look-up that no connect has used */
    _Atomic uint64_t last;   /* of the newest one */
    _Atomic uint64_t thread; /* that made the newest one */
    _Atomic uint32_t credit; /* look-ups that no connect has used */
    _Atomic uint32_t at_s;   /* when the newest one was; coarse monotonic clock */
};

struct bucket {
    _Alignas(64) _Atomic uint32_t tags[WAYS]; /* of the addresses; 0: free */
    struct slot slots[WAYS];
};

static struct bucket buckets[BUCKETS];
static _Atomic uint32_t changes[BUCKETS]; /* of which names a bucket holds, and for which addresses */
static _Atomic uint64_t lookups;
TOGETHER _Atomic uint64_t names_now = 1;

static uint64_t get(_Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* A second is fine enough, and this clock costs a quarter of the other. */
static uint32_t now_s(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint32_t)now.tv_sec;
}

static uint64_t this_thread(void)
{
    return (uint64_t)(uintptr_t)&errno;
}

/* An address as two words; IPv4 in its IPv6-mapped form, so that both families share the table. */
struct key {
    uint64_t words[2];
    struct bucket *bucket;
    uint32_t tag;
};

static struct key key_of(const struct place *place)
{
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
    struct key key;

    if (place->family == PLACE_IPV4)
        memcpy(bytes + 12, place->address, 4);
    else
        memcpy(bytes, place->address, 16);
    memcpy(key.words, bytes, sizeof bytes);
    /* Neighbours differ in the last byte, which lies highest: it must be brought down before it is
     * multiplied. */
    uint64_t mixed = (key.words[1] ^ key.words[1] >> 32 ^ key.words[0]) * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9u;
    key.bucket = &buckets[(mixed >> 56) & (BUCKETS - 1)];
    key.tag = (uint32_t)(mixed >> 24) | 1;
    return key;
}

/* ---- writing ---- */

static bool is_at(struct slot *slot, const struct key *key)
{
    return get(&slot->address[0]) == key->words[0] && get(&slot->address[1]) == key->words[1];
}

static bool is_same(struct slot *slot, const struct key *key, const uint64_t name[WORDS])
{
    for (int i = 0; i < WORDS; i++)
        if (get(&slot->name[i]) != name[i])
            return false;
    return is_at(slot, key);
}

/*
 * Where the name of the address stands, else where there is room, else what was looked up longest ago. What
 * is being written is passed over: in the child of a fork it may stay so.
 */
static unsigned choose(const struct key *key, const uint64_t name[WORDS])
{
    unsigned oldest = 0;
    uint64_t oldest_last = UINT64_MAX;

    for (unsigned i = 0; i < WAYS; i++) {
        struct slot *slot = &key->bucket->slots[i];
        if (get(&slot->version) & 1)
            continue;
        if (get(&slot->last) && is_same(slot, key, name))
            return i;
        if (get(&slot->last) < oldest_last) {
            oldest = i;
            oldest_last = get(&slot->last);
        }
    }
    return oldest;
}

/* A clock that was read before the slot was written is no reason to call it old. */
static uint32_t age_s(struct slot *slot, uint32_t time_s)
{
    uint32_t at_s = atomic_load_explicit(&slot->at_s, memory_order_relaxed);
    return time_s > at_s ? time_s - at_s : 0;
}

static void credit(struct slot *slot, uint64_t number, bool is_new, uint32_t time_s)
{
    if (is_new || atomic_load_explicit(&slot->credit, memory_order_relaxed) == 0) {
        set(&slot->first, number);
        atomic_store_explicit(&slot->credit, 0, memory_order_relaxed);
    }
    set(&slot->last, number);
    set(&slot->thread, this_thread());
    atomic_store_explicit(&slot->at_s, time_s, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->credit, 1, memory_order_release);
}

static void remember(const struct place *address, const struct place *name, uint64_t number)
{
    struct key key = key_of(address);
    uint64_t words[WORDS] = {0};

    memcpy(words, name->name, name->name_length);
    unsigned at = choose(&key, words);
    struct slot *slot = &key.bucket->slots[at];
    uint64_t version = atomic_load_explicit(&slot->version, memory_order_relaxed);
    if (version & 1 || !atomic_compare_exchange_strong(&slot->version, &version, version + 1))
        return;
    bool is_new = !get(&slot->last) || !is_same(slot, &key, words);
    uint32_t time_s = now_s();
    bool is_change = is_new || age_s(slot, time_s) > LIFE_S;
    atomic_thread_fence(memory_order_release);
    for (int i = 0; i < 2 && is_new; i++)
        set(&slot->address[i], key.words[i]);
    for (int i = 0; i < WORDS && is_new; i++)
        set(&slot->name[i], words[i]);
    set(&slot->length, name->name_length);
    credit(slot, number, is_new, time_s);
    atomic_store_explicit(&slot->version, version + 2, memory_order_release);
    atomic_store_explicit(&key.bucket->tags[at], key.tag, memory_order_release);
    if (is_change)
        atomic_fetch_add_explicit(&changes[key.bucket - buckets], 1, memory_order_release);
}

/* A name in the form that rules are written in; a literal address needs no remembering. */
static bool is_name(struct place *place, const char *name)
{
    size_t length = strlen(name);
    return length <= PLACE_NAME_MAX + 1 && place_from_host(place, name, length, 0) &&
           place->family == PLACE_NAME && place->name_length < NAME_ROOM;
}

/* An address comes once for each type of socket. */
static bool is_repeated(const struct addrinfo *one, const struct addrinfo *before)
{
    return before && before->ai_addr && before->ai_addrlen == one->ai_addrlen &&
           memcmp(before->ai_addr, one->ai_addr, one->ai_addrlen) == 0;
}

void names_remember(const char *name, const struct addrinfo *addresses)
{
    struct place named, address;
    uint64_t number = atomic_fetch_add_explicit(&lookups, 1, memory_order_relaxed) + 1;

    if (!is_name(&named, name))
        return;
    for (const struct addrinfo *one = addresses, *before = NULL; one; before = one, one = one->ai_next)
        if (one->ai_addr && !is_repeated(one, before) && peer_of(&address, one->ai_addr, one->ai_addrlen))
            remember(&address, &named, number);
    atomic_fetch_add_explicit(&names_now, 1, memory_order_release);
}

void names_remember_entry(const char *name, const struct hostent *entry)
{
    struct place named, address = {.port = 0};
    uint64_t number = atomic_fetch_add_explicit(&lookups, 1, memory_order_relaxed) + 1;
    enum place_family family = entry->h_addrtype == AF_INET6 ? PLACE_IPV6 : PLACE_IPV4;

    if (!is_name(&named, name) || (entry->h_addrtype != AF_INET && entry->h_addrtype != AF_INET6))
        return;
    for (char **one = entry->h_addr_list; one && *one; one++) {
        place_from_address(&address, family, *one, 0);
        remember(&address, &named, number);
    }
    atomic_fetch_add_explicit(&names_now, 1, memory_order_release);
}

/* ---- reading ---- */

/* What one slot says of the address, as it stood while the name was read. */
struct candidate {
    struct slot *slot;
    uint64_t first, last;
    bool has_credit, is_ours;
};

static bool look(struct slot *slot, const struct key *key, uint32_t time_s, struct candidate *found)
{
    uint64_t before = atomic_load_explicit(&slot->version, memory_order_acquire);
    uint32_t old_s = age_s(slot, time_s);

    if (!is_at(slot, key) || old_s > LIFE_S)
        return false;
    found->slot = slot;
    found->first = get(&slot->first);
    found->last = get(&slot->last);
    found->has_credit = old_s <= CREDIT_S && atomic_load_explicit(&slot->credit, memory_order_relaxed) > 0;
    found->is_ours = get(&slot->thread) == this_thread();
    atomic_thread_fence(memory_order_acquire);
    return !(before & 1) && get(&slot->version) == before;
}

/* By this thread's credit, then by anybody's, the oldest first; then by who was last. */
static bool is_better(const struct candidate *one, const struct candidate *than)
{
    if (one->has_credit != than->has_credit)
        return one->has_credit;
    if (!one->has_credit)
        return one->last > than->last;
    if (one->is_ours != than->is_ours)
        return one->is_ours;
    return one->first < than->first;
}

static bool read_name(struct slot *slot, const struct key *key, struct place *named)
{
    uint64_t before = atomic_load_explicit(&slot->version, memory_order_acquire);
    uint64_t words[WORDS], length = get(&slot->length);

    for (int i = 0; i < WORDS; i++)
        words[i] = get(&slot->name[i]);
    atomic_thread_fence(memory_order_acquire);
    if (before & 1 || !is_at(slot, key) || get(&slot->version) != before || length >= NAME_ROOM)
        return false;
    memcpy(named->name, words, length);
    named->name[length] = '\0';
    named->name_length = (uint8_t)length;
    memset(named->address, 0, sizeof named->address);
    named->family = PLACE_NAME;
    return true;
}

static void use_credit(struct slot *slot, uint64_t last)
{
    uint32_t left = atomic_load_explicit(&slot->credit, memory_order_relaxed);

    while (left > 0 && !atomic_compare_exchange_weak_explicit(&slot->credit, &left, left - 1,
                                                              memory_order_relaxed, memory_order_relaxed))
        ;
    set(&slot->first, last); /* of several that are left only the newest is known */
}

bool names_find(const struct place *address, struct place *named, bool *is_certain)
{
    if (!get(&lookups))
        return false;
    struct key key = key_of(address);
    struct candidate best = {NULL, 0, 0, false, false}, one;
    unsigned count = 0;
    uint32_t time_s = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&key.bucket->tags[i], memory_order_acquire) != key.tag)
            continue;
        time_s = time_s ? time_s : now_s();
        if (!look(&key.bucket->slots[i], &key, time_s, &one))
            continue;
        if (!best.slot || is_better(&one, &best))
            best = one;
        count++;
    }
    if (!best.slot || !read_name(best.slot, &key, named))
        return false;
    named->port = address->port;
    *is_certain = count == 1 || (best.has_credit && best.is_ours);
    if (best.has_credit)
        use_credit(best.slot, best.last);
    return true;
}

/* ---- that the answer is the same ---- */

/* A mark: changes of the bucket 32 bits | its number 16 | 1 + the way of the one name 16, 0: no name. */
enum { BUCKET_AT = 16, CHANGES_AT = 32, WAY_MASK = 0xffff };

/* Whether the slot holds a name of the address; *is_torn where it is being written. */
static bool holds(struct slot *slot, const struct key *key, uint32_t time_s, bool *is_torn)
{
    uint64_t before = atomic_load_explicit(&slot->version, memory_order_acquire);
    bool is_held = is_at(slot, key) && age_s(slot, time_s) <= LIFE_S;

    atomic_thread_fence(memory_order_acquire);
    *is_torn = before & 1 || get(&slot->version) != before;
    return is_held;
}

uint64_t names_mark(const struct place *address)
{
    struct key key = key_of(address);
    uint64_t number = (uint64_t)(key.bucket - buckets), way = 0;
    uint64_t then = atomic_load_explicit(&changes[number], memory_order_acquire);
    uint32_t time_s = get(&lookups) ? now_s() : 0;
    bool is_torn;

    for (unsigned i = 0; time_s && i < WAYS; i++) {
        if (atomic_load_explicit(&key.bucket->tags[i], memory_order_acquire) != key.tag)
            continue;
        bool is_held = holds(&key.bucket->slots[i], &key, time_s, &is_torn);
        if (is_torn || (is_held && way))
            return NAMES_SEVERAL;
        way = is_held ? i + 1 : way;
    }
    return then << CHANGES_AT | number << BUCKET_AT | way;
}

bool names_are_as(uint64_t mark)
{
    uint64_t number = mark >> BUCKET_AT & (BUCKETS - 1);
    return atomic_load_explicit(&changes[number], memory_order_acquire) == mark >> CHANGES_AT &&
           mark != NAMES_SEVERAL;
}

void names_use(uint64_t mark)
{
    uint64_t way = mark & WAY_MASK;
    struct slot *slot = &buckets[mark >> BUCKET_AT & (BUCKETS - 1)].slots[way ? way - 1 : 0];

    if (way && atomic_load_explicit(&slot->credit, memory_order_relaxed))
        use_credit(slot, get(&slot->last));
}

bool names_are_used(uint64_t mark)
{
    uint64_t way = mark & WAY_MASK;
    const struct slot *slot = &buckets[mark >> BUCKET_AT & (BUCKETS - 1)].slots[way ? way - 1 : 0];

    return !way || !atomic_load_explicit(&slot->credit, memory_order_acquire);
}
