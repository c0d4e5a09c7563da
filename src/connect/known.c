#include "connect/known.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "connect/names.h"

enum {
    SETS = 128, /* a power of two */
    WAYS = 2,
    STRIDE = 4,     /* words that are copied in one go */
    CALL_ROOM = 448 /* of a call, its host's name last; one with a longer name is not kept */
};

_Static_assert(CALL_ROOM % (STRIDE * 8) == 0, "a call is copied in whole strides");
_Static_assert(CALL_ROOM <= sizeof(struct gate_call), "a call has room for what is kept of one");
_Static_assert(offsetof(struct gate_call, host) + 104 <= CALL_ROOM, "for the names that connects have");

enum { MIXED = KNOWN_CALL + 1 }; /* an entry whose names are never as they were: it is only remembered */

/* Even version: whole; odd: being written. Who loses the race to write leaves the entry to the other. */
struct known_entry {
    _Alignas(64) _Atomic uint64_t version;
    _Atomic uint64_t address[2];
    _Atomic uint64_t target; /* port and family */
    _Atomic uint64_t answer; /* enum known_answer, or MIXED */
    _Atomic uint64_t names;
    _Atomic uint64_t rules;
    _Atomic uint64_t control;
    _Atomic uint64_t words; /* of the call */
    _Atomic uint64_t call[CALL_ROOM / 8];
};

static struct known_entry entries[SETS][WAYS];

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

struct key {
    uint64_t address[2], target;
    struct known_entry *ways;
    unsigned way; /* the one that it takes where both are taken */
};

static inline struct key key_of(const struct place *place)
{
    struct key key = {.target = (uint64_t)place->family << 16 | place->port};

    memcpy(key.address, place->address, sizeof key.address);
    uint64_t mixed = (key.address[0] ^ key.address[1] ^ key.target << 40) * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 32) * 0xBF58476D1CE4E5B9u;
    key.ways = entries[mixed >> 57 & (SETS - 1)];
    key.way = mixed >> 56 & (WAYS - 1);
    return key;
}

static inline bool is_of(const struct known_entry *entry, const struct key *key)
{
    return get(&entry->address[0]) == key->address[0] && get(&entry->address[1]) == key->address[1] &&
           get(&entry->target) == key->target;
}

/* ---- reading ---- */

/* Whether what was read since the version was is whole. */
static inline bool is_whole(const struct known_entry *entry, uint64_t version)
{
    atomic_thread_fence(memory_order_acquire);
    return !(version & 1) && get(&entry->version) == version;
}

struct known_look known_look(const struct place *place)
{
    struct key key = key_of(place);
    struct gate_era era = gate_era();

    for (unsigned i = 0; i < WAYS; i++) {
        const struct known_entry *entry = &key.ways[i];
        uint64_t version = atomic_load_explicit(&entry->version, memory_order_acquire);
        if (!is_of(entry, &key))
            continue;
        uint64_t answer = get(&entry->answer), names = get(&entry->names);
        if (get(&entry->rules) != era.rules || get(&entry->control) != era.control || !names_are_as(names) ||
            !is_whole(entry, version))
            break;
        if (answer == KNOWN_UNMATCHED)
            names_use(names);
        return (struct known_look){(enum known_answer)answer, entry, version, names};
    }
    return (struct known_look){.answer = KNOWN_NOT};
}

static inline void copy_word(char *to, const _Atomic uint64_t *from)
{
    uint64_t word = get(from);
    memcpy(to, &word, sizeof word);
}

/* Four at a time: nobody unrolls a loop over atomic words. */
static inline void copy_out(char *to, const _Atomic uint64_t *from)
{
    copy_word(to, from);
    copy_word(to + 8, from + 1);
    copy_word(to + 16, from + 2);
    copy_word(to + 24, from + 3);
}

bool known_open(const struct known_look *look, struct gate_call *call)
{
    const struct known_entry *entry = look->entry;
    uint64_t words = get(&entry->words);

    for (uint64_t i = 0; i < words && i < CALL_ROOM / 8; i += STRIDE)
        copy_out((char *)call + i * 8, &entry->call[i]);
    if (!is_whole(entry, look->version) || !gate_repeat_copy(call))
        return false;
    names_use(look->names);
    return true;
}

struct known_moment known_moment(const struct place *place)
{
    return (struct known_moment){gate_era(), names_mark(place)};
}

/* ---- writing ---- */

/* Where the place stands, else where nothing does. */
static struct known_entry *choose(const struct key *key)
{
    struct known_entry *free = NULL;

    for (unsigned i = 0; i < WAYS; i++) {
        if (is_of(&key->ways[i], key))
            return &key->ways[i];
        if (get(&key->ways[i].version) == 0)
            free = &key->ways[i];
    }
    return free ? free : &key->ways[key->way];
}

/* In the child of a fork an entry that was being written stays so: it is passed over. */
static bool begin(struct known_entry *entry, uint64_t *version)
{
    *version = get(&entry->version);
    if (*version & 1 || !atomic_compare_exchange_strong(&entry->version, version, *version + 1))
        return false;
    atomic_thread_fence(memory_order_release);
    return true;
}

static void put(struct known_entry *entry, const struct key *key, uint64_t answer,
                const struct known_moment *moment)
{
    set(&entry->address[0], key->address[0]);
    set(&entry->address[1], key->address[1]);
    set(&entry->target, key->target);
    set(&entry->answer, answer);
    set(&entry->names, moment->names);
    set(&entry->rules, moment->era.rules);
    set(&entry->control, moment->era.control);
}

static void copy_in(struct known_entry *entry, const struct gate_call *call, uint64_t words)
{
    for (uint64_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, (const char *)call + i * 8, 8);
        set(&entry->call[i], word);
    }
    set(&entry->words, words);
}

/* words: of the call; 0: there is none. */
static void keep(const struct place *place, uint64_t answer, const struct known_moment *moment,
                 const struct gate_call *call, size_t words)
{
    struct key key = key_of(place);
    struct known_entry *entry = choose(&key);
    uint64_t version;

    if (!begin(entry, &version))
        return;
    bool stays_mixed = answer == KNOWN_CALL && is_of(entry, &key) && get(&entry->answer) == MIXED;
    put(entry, &key, stays_mixed ? MIXED : answer, moment);
    copy_in(entry, call, words);
    atomic_store_explicit(&entry->version, version + 2, memory_order_release);
}

void known_unmatched(const struct place *place, const struct known_moment *moment)
{
    if (moment->names != NAMES_SEVERAL)
        keep(place, KNOWN_UNMATCHED, moment, NULL, 0);
}

void known_keep(const struct place *place, const struct known_moment *moment, const struct gate_call *call)
{
    if (!gate_may_repeat(call) || moment->names == NAMES_SEVERAL)
        return;
    size_t words = (offsetof(struct gate_call, host) + strlen(call->host)) / 8 + 1;
    if (words <= CALL_ROOM / 8)
        keep(place, KNOWN_CALL, moment, call, words);
}

void known_mixed(const struct place *place)
{
    const struct known_moment never = {.names = NAMES_SEVERAL};
    keep(place, MIXED, &never, NULL, 0);
}
