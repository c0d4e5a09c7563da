#include "connect/known.h"

#include <stddef.h>
#include <string.h>

#include "connect/known_entry.h"
#include "connect/names.h"

enum {
    WAYS = 2,   /* neighbours, a power of two */
    STRIDE = 4, /* words that are copied in one go */
};

_Static_assert(sizeof(struct kept) % (STRIDE * 8) == 0, "a call is copied in whole strides");

enum { MIXED = KNOWN_CALL + 1 }; /* an entry whose names are never as they were: it is only remembered */

struct known_entry known_entries[1 << KNOWN_BITS];

static void set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static struct known_entry *way(const struct known_key *key, size_t number)
{
    return &known_entries[((size_t)(key->home - known_entries) & ~(size_t)(WAYS - 1)) + number];
}

static inline struct known_key key_of(const struct place *place)
{
    uint64_t address[2];

    memcpy(address, place->address, sizeof address);
    return known_key(address[0], address[1], (enum place_family)place->family, place->port);
}

static enum known_answer answer_of(const struct known_entry *entry)
{
    return (enum known_answer)(known_get(&entry->target) >> KNOWN_ANSWER_AT);
}

static inline bool is_of(const struct known_entry *entry, const struct known_key *key)
{
    return known_get(&entry->address[0]) == key->address[0] &&
           known_get(&entry->address[1]) == key->address[1] &&
           (uint32_t)known_get(&entry->target) == key->target;
}

/* ---- reading ---- */

static bool begin(struct known_entry *entry, uint64_t version);
static void end(struct known_entry *entry, uint64_t version);

/*
 * A connect by the name that led here. When nothing is left to be used of it the names need not be looked at
 * any more, until names_now is another.
 */
static __attribute__((noinline)) void use(const struct known_look *look)
{
    names_use(look->names);
    if (!names_are_used(look->names) || !begin(look->entry, look->version))
        return;
    set(&look->entry->now, look->now);
    end(look->entry, look->version);
}

struct known_look known_look(const struct place *place)
{
    struct known_key key = key_of(place);
    struct gate_era era = gate_era();
    uint64_t now = atomic_load_explicit(&names_now, memory_order_acquire);

    for (size_t i = 0; i < WAYS; i++) {
        struct known_entry *entry = way(&key, i);
        uint64_t version = atomic_load_explicit(&entry->version, memory_order_acquire);
        if (!is_of(entry, &key))
            continue;
        struct known_look look = {answer_of(entry), known_get(&entry->now) == now, entry,
                                  version,          known_get(&entry->names),      now};
        if (known_get(&entry->rules) != era.rules || known_get(&entry->control) != era.control ||
            (!look.is_settled && !names_are_as(look.names)) || !known_is_whole(entry, version))
            break;
        if (look.answer == KNOWN_UNMATCHED && !look.is_settled)
            use(&look);
        return look;
    }
    return (struct known_look){.answer = KNOWN_NOT};
}

static inline void copy_word(char *to, const _Atomic uint64_t *from)
{
    uint64_t word = known_get(from);
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

bool known_open(const struct known_look *look, struct kept *kept, uint64_t *opened_us)
{
    const struct known_entry *entry = look->entry;
    uint64_t words = known_get(&entry->words);

    for (uint64_t i = 0; i < words && i < sizeof *kept / 8; i += STRIDE)
        copy_out((char *)kept + i * 8, &entry->call[i]);
    if (!known_is_whole(entry, look->version) || !kept_open(kept, opened_us))
        return false;
    if (!look->is_settled)
        use(look);
    return true;
}

struct known_moment known_moment(const struct place *place)
{
    return (struct known_moment){gate_era(), names_mark(place)};
}

/* ---- writing ---- */

/* Where the place stands, else where nothing does, at home if that may be. */
static struct known_entry *choose(const struct known_key *key)
{
    struct known_entry *free = NULL;

    for (size_t i = 0; i < WAYS; i++) {
        struct known_entry *entry = way(key, i);
        if (is_of(entry, key))
            return entry;
        if (known_get(&entry->version) == 0)
            free = entry;
    }
    return free && known_get(&key->home->version) ? free : key->home;
}

/* In the child of a fork an entry that was being written stays so: it is passed over. */
static bool begin(struct known_entry *entry, uint64_t version)
{
    if (version & 1 || !atomic_compare_exchange_strong(&entry->version, &version, version + 1))
        return false;
    atomic_thread_fence(memory_order_release);
    return true;
}

static void end(struct known_entry *entry, uint64_t version)
{
    atomic_store_explicit(&entry->version, version + 2, memory_order_release);
}

static void put(struct known_entry *entry, const struct known_key *key, uint64_t answer,
                const struct known_moment *moment)
{
    set(&entry->address[0], key->address[0]);
    set(&entry->address[1], key->address[1]);
    set(&entry->target, answer << KNOWN_ANSWER_AT | key->target);
    set(&entry->names, moment->names);
    set(&entry->now, 0);
    set(&entry->rules, moment->era.rules);
    set(&entry->control, moment->era.control);
}

static void copy_in(struct known_entry *entry, const struct kept *call, uint64_t words)
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
                 const struct kept *call, size_t words)
{
    struct known_key key = key_of(place);
    struct known_entry *entry = choose(&key);
    uint64_t version = known_get(&entry->version);

    if (!begin(entry, version))
        return;
    bool stays_mixed =
        answer == KNOWN_CALL && is_of(entry, &key) && answer_of(entry) == (enum known_answer)MIXED;
    put(entry, &key, stays_mixed ? MIXED : answer, moment);
    copy_in(entry, call, words);
    end(entry, version);
}

void known_unmatched(const struct place *place, const struct known_moment *moment)
{
    if (moment->names != NAMES_SEVERAL)
        keep(place, KNOWN_UNMATCHED, moment, NULL, 0);
}

void known_keep(const struct place *place, const struct known_moment *moment, const struct gate_call *call)
{
    struct kept kept;
    size_t bytes = moment->names == NAMES_SEVERAL ? 0 : kept_of(&kept, call);

    if (bytes)
        keep(place, KNOWN_CALL, moment, &kept, (bytes + 7) / 8);
}

void known_mixed(const struct place *place)
{
    const struct known_moment never = {.names = NAMES_SEVERAL};
    keep(place, MIXED, &never, NULL, 0);
}
