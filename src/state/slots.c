/*
 * Buckets of eight neighbouring slots; each key begins its search at a slot of its own in the bucket,
 * so that a hit mostly touches one cache line.
 *
 * A slot's key goes  free or another's → claim → ours. The claim is the moment it was made, odd, so no
 * key; one older than CLAIM_MS belongs to a dead process. Should its owner have been stopped only, and
 * go on filling a slot that is another's by now, it notices when it publishes, and frees the slot that
 * it has smeared: what is lost is some counts.
 */
#include "state/slots.h"

#include <string.h>

#include "sys/clock.h"

enum {
    BUCKET = 8, /* divides LAYOUT_HOSTS_MIN */
    CLAIM_MS = 1000,
    TOUCH_MS = 1000,
    SKEW_MS = 10000, /* by this much a use may lie ahead of a caller who read the clock before */
    PATIENCE = 256,  /* looks at a slot that may be becoming ours: some microseconds */
    ROUNDS = 2 * PATIENCE
};

static const uint64_t SEED = 0x6775737365742121u; /* "gusset!!" */
static const uint64_t MULTIPLIER = 0xc6a4a7935bd1e995u;

static_assert(LAYOUT_HOSTS_MIN % BUCKET == 0, "whole buckets");
static_assert(offsetof(struct layout_host, host) % 8 == 0, "text is copied in words");
static_assert(offsetof(struct layout_host, policy) % 8 == 0, "text is copied in words");
static_assert(LAYOUT_HOST_TEXT % 8 == 0 && LAYOUT_POLICY_TEXT % 8 == 0, "text is copied in words");
static_assert(LAYOUT_HOST_TEXT >= LAYOUT_POLICY_TEXT, "one buffer does for both");

static inline uint64_t mixed(uint64_t h, uint64_t word)
{
    word *= MULTIPLIER;
    word = (word ^ (word >> 47)) * MULTIPLIER;
    return (h ^ word) * MULTIPLIER;
}

static inline uint64_t loaded(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/*
 * MurmurHash64A (Austin Appleby, public domain), but that the last word of a text of eight bytes or more
 * overlaps the one before instead of being put together byte by byte.
 */
static uint64_t hashed(const char *text, size_t length, uint64_t seed)
{
    const char *const end = text + length;
    uint64_t h = seed ^ (length * MULTIPLIER);
    for (size_t left = length; left > 8; left -= 8, text += 8)
        h = mixed(h, loaded(text));
    if (length >= 8) {
        h = mixed(h, loaded(end - 8));
    } else {
        uint64_t word = 0;
        while (text < end)
            word = word << 8 | (unsigned char)*text++;
        h = mixed(h, word);
    }
    h = (h ^ (h >> 47)) * MULTIPLIER;
    return h ^ (h >> 47);
}

uint64_t slots_key(const char *host, size_t host_length, const char *policy, size_t policy_length)
{
    const uint64_t key = hashed(policy, policy_length, hashed(host, host_length, SEED)) & ~(uint64_t)1;
    return key != 0 ? key : 2;
}

/* Where the key's search begins. The count is the mapping's own, never what the file says. */
static inline uint32_t index_of(const struct map *map, uint64_t key)
{
    return (uint32_t)(key >> 1) & (map->host_count - 1);
}

/* The step-th slot (0..BUCKET-1) of the key's search: from there through the bucket, and round. */
static struct layout_host *probed(struct map *map, uint64_t key, unsigned step)
{
    const uint32_t first = index_of(map, key);
    return &map->hosts[(first & ~(BUCKET - 1u)) | ((first + step) & (BUCKET - 1u))];
}

static struct layout_host *found(struct map *map, uint64_t key)
{
    for (unsigned step = 0; step < BUCKET; step++) {
        struct layout_host *slot = probed(map, key, step);
        if (slots_is_still(slot, key))
            return slot;
    }
    return NULL;
}

static bool is_claim(uint64_t key)
{
    return (key & 1) != 0;
}

/* A claim from the future is a clock set back, or damage. */
static bool is_dead_claim(uint64_t key, uint64_t unix_ms)
{
    const uint64_t then_ms = key >> 1;
    return (unix_ms > then_ms ? unix_ms - then_ms : then_ms - unix_ms) > CLAIM_MS;
}

/* The bucket's best slot to take, and what its key was when it was looked at. */
struct choice {
    struct layout_host *slot; /* NULL: all are being filled */
    uint64_t key;
    bool is_any_claimed;
};

/* A use far in the future is damage and counts as longest ago. */
static uint64_t unused_ms(const struct layout_host *slot, uint64_t now_ms)
{
    const uint64_t used_ms = atomic_load_explicit(&slot->used_ms, memory_order_relaxed);
    return used_ms - now_ms < SKEW_MS ? 0 : now_ms - used_ms;
}

/* Free before abandoned before least recently used. */
static struct choice choose(struct map *map, uint64_t key, uint64_t now_ms)
{
    struct choice best = {0};
    uint64_t best_age_ms = 0;
    for (unsigned step = 0; step < BUCKET; step++) {
        struct layout_host *slot = probed(map, key, step);
        const uint64_t held = atomic_load_explicit(&slot->key, memory_order_acquire);
        uint64_t age_ms = unused_ms(slot, now_ms);
        if (is_claim(held) && !is_dead_claim(held, clock_unix_ms())) {
            best.is_any_claimed = true;
            continue;
        }
        if (held == 0)
            age_ms = UINT64_MAX;
        else if (is_claim(held) || age_ms == UINT64_MAX)
            age_ms = UINT64_MAX - 1;
        if (!best.slot || age_ms > best_age_ms) {
            best.slot = slot;
            best.key = held;
            best_age_ms = age_ms;
        }
    }
    return best;
}

/* Release, so that a reader who has met a word of this text also meets the claim before it. */
static void text_store(char *to, size_t room, const char *text, size_t length)
{
    uint64_t words[LAYOUT_HOST_TEXT / 8] = {0};
    memcpy(words, text, length < room ? length : room - 1);
    _Atomic uint64_t *shared = (_Atomic uint64_t *)(void *)to;
    for (size_t i = 0; i < room / 8; i++)
        atomic_store_explicit(&shared[i], words[i], memory_order_release);
}

static void text_load(char *to, const char *from, size_t room)
{
    uint64_t words[LAYOUT_HOST_TEXT / 8] = {0};
    const _Atomic uint64_t *shared = (const _Atomic uint64_t *)(const void *)from;
    for (size_t i = 0; i < room / 8; i++)
        words[i] = atomic_load_explicit(&shared[i], memory_order_acquire);
    memcpy(to, words, room);
}

/* All but the key to zero. The 32-bit words of the latencies go by twos. */
static void reset(struct layout_host *slot)
{
    _Atomic uint64_t *words = &slot->key;
    for (size_t i = 1; i < sizeof *slot / sizeof *words; i++)
        atomic_store_explicit(&words[i], 0, memory_order_release);
}

/* Ordered against without_twins (seq_cst): of two who publish the same key, one at least sees the other. */
static bool publish(struct layout_host *slot, uint64_t claim, uint64_t key)
{
    uint64_t held = claim;
    if (atomic_compare_exchange_strong(&slot->key, &held, key))
        return true;
    if (!is_claim(held) && held != 0)
        atomic_compare_exchange_strong(&slot->key, &held, 0);
    return false;
}

/*
 * Two processes that met the host at the same moment may have filled a slot each. The first in the
 * order of search is everybody's; the others are freed.
 */
static struct layout_host *without_twins(struct map *map, uint64_t key)
{
    struct layout_host *first = NULL;
    for (unsigned step = 0; step < BUCKET; step++) {
        struct layout_host *slot = probed(map, key, step);
        uint64_t held = atomic_load(&slot->key);
        if (held != key)
            continue;
        if (!first)
            first = slot;
        else
            atomic_compare_exchange_strong(&slot->key, &held, 0);
    }
    return first;
}

struct claimant {
    const char *host, *policy;
    size_t host_length, policy_length;
    uint64_t key, now_ms;
};

/* Claims the chosen slot and fills it. Returns whether it is the claimant's. */
static bool fill(const struct choice *choice, const struct claimant *who)
{
    struct layout_host *slot = choice->slot;
    const uint64_t claim = clock_unix_ms() << 1 | 1;
    uint64_t held = choice->key;
    if (!atomic_compare_exchange_strong(&slot->key, &held, claim))
        return false;
    reset(slot);
    atomic_store_explicit(&slot->used_ms, who->now_ms, memory_order_relaxed);
    text_store(slot->host, sizeof slot->host, who->host, who->host_length);
    text_store(slot->policy, sizeof slot->policy, who->policy, who->policy_length);
    return publish(slot, claim, who->key);
}

/* Not inlined: the way of a host that is met at once stays short. */
__attribute__((noinline)) static struct layout_host *found_or_made(struct map *map,
                                                                   const struct claimant *who)
{
    unsigned patience = PATIENCE;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct layout_host *slot = found(map, who->key);
        if (slot)
            return slot;
        const struct choice choice = choose(map, who->key, who->now_ms);
        if (choice.is_any_claimed && patience > 0) {
            patience--; /* it may be our host that is being filled in: look again */
            continue;
        }
        if (!choice.slot)
            return NULL;
        if (fill(&choice, who) && (slot = without_twins(map, who->key)))
            return slot;
    }
    return NULL;
}

/* Written once a second only: a line that many processes read stays in all their caches. */
static inline struct layout_host *touched(struct layout_host *slot, uint64_t now_ms)
{
    if (now_ms - atomic_load_explicit(&slot->used_ms, memory_order_relaxed) >= TOUCH_MS)
        atomic_store_explicit(&slot->used_ms, now_ms, memory_order_relaxed);
    return slot;
}

bool slots_touch(struct layout_host *slot, uint64_t key, uint64_t now_ms)
{
    if (!slots_is_still(slot, key))
        return false;
    touched(slot, now_ms);
    return true;
}

struct layout_host *slots_take(struct map *map, const char *host, size_t host_length, const char *policy,
                               size_t policy_length, uint64_t now_ms)
{
    if (map->host_count == 0)
        return NULL;
    const uint64_t key = slots_key(host, host_length, policy, policy_length);
    struct layout_host *slot = &map->hosts[index_of(map, key)];
    if (slots_is_still(slot, key))
        return touched(slot, now_ms);
    const struct claimant who = {host, policy, host_length, policy_length, key, now_ms};
    slot = found_or_made(map, &who);
    return slot ? touched(slot, now_ms) : NULL;
}

struct layout_host *slots_find(struct map *map, const char *host, size_t host_length, const char *policy,
                               size_t policy_length)
{
    if (map->host_count == 0)
        return NULL;
    return found(map, slots_key(host, host_length, policy, policy_length));
}

/* A text that was not cut hashes to its key; of one that was only the NUL can be asked for. */
static bool is_whole(const struct layout_host *slot, uint64_t key)
{
    char host[LAYOUT_HOST_TEXT], policy[LAYOUT_POLICY_TEXT];
    text_load(host, slot->host, sizeof host);
    text_load(policy, slot->policy, sizeof policy);
    const size_t host_length = strnlen(host, sizeof host);
    const size_t policy_length = strnlen(policy, sizeof policy);
    if (host_length == sizeof host || policy_length == sizeof policy || host_length == 0)
        return false;
    return host_length == sizeof host - 1 || policy_length == sizeof policy - 1 ||
           slots_key(host, host_length, policy, policy_length) == key;
}

struct layout_host *slots_at(struct map *map, uint32_t index)
{
    if (index >= map->host_count)
        return NULL;
    struct layout_host *slot = &map->hosts[index];
    const uint64_t key = atomic_load_explicit(&slot->key, memory_order_acquire);
    if (key == 0 || is_claim(key) || !is_whole(slot, key) || !slots_is_still(slot, key))
        return NULL;
    return slot;
}
