/*
 * The table of connect/known, and the question that each connect(2) asks of it first: whether it is known
 * where it goes. The caches are the kernel's when a program comes here, so what
 * costs is each line that is touched, of code and of data: the answer is read from one line of the table, one
 * of the process's own and two of the state.
 */
#ifndef GUSSET_CONNECT_KNOWN_ENTRY_H
#define GUSSET_CONNECT_KNOWN_ENTRY_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>

#include "connect/known.h"
#include "connect/names.h"
#include "connect/peer.h"
#include "state/control.h"

enum { KNOWN_BITS = 8 /* of the number of entries */ };

/*
 * Even version: whole; odd: being written. Who loses the race to write leaves the entry to the other. The
 * first line is all that is read of a place that no rule means.
 */
struct known_entry {
    _Alignas(64) _Atomic uint64_t version;
    _Atomic uint64_t address[2];
    _Atomic uint64_t target; /* answer (enum known_answer) 32 bits | family 16 | port 16 */
    _Atomic uint64_t rules;
    _Atomic uint64_t now; /* names_now, while which the names need not be looked at; 0: they must */
    _Atomic uint64_t control;
    _Atomic uint64_t names;
    _Atomic uint64_t words; /* of the call that was kept */
    _Atomic uint64_t call[sizeof(struct kept) / 8];
};

enum { KNOWN_FAMILY_AT = 16, KNOWN_ANSWER_AT = 32 };

extern struct known_entry known_entries[1 << KNOWN_BITS] __attribute__((visibility("hidden")));

static inline uint64_t known_get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* Whether what was read since the version was is whole. */
static inline bool known_is_whole(const struct known_entry *entry, uint64_t version)
{
    atomic_thread_fence(memory_order_acquire);
    return !(version & 1) && known_get(&entry->version) == version;
}

/* A place in the words that it is kept by. */
struct known_key {
    uint64_t address[2], target;
    struct known_entry *home; /* where it stands if it can, else beside */
};

static inline struct known_key known_key(uint64_t first, uint64_t second, enum place_family family,
                                         uint16_t port)
{
    struct known_key key = {
        .address = {first, second},
          .target = (uint64_t)family << KNOWN_FAMILY_AT | port
    };
    uint64_t mixed = (first ^ second ^ key.target << 40) * 0x9E3779B97F4A7C15u;

    key.home = &known_entries[mixed >> (64 - KNOWN_BITS)];
    __asm__("" : "+r"(key.home)); /* an address, not a sum to be done anew for each of its words */
    return key;
}

/* In the order in which the words lie, each a step that goes straight on: after a system call no branch is
 * foretold. */
static inline bool known_holds(const struct known_entry *entry, const struct known_key *key, uint64_t rules)
{
    return known_get(&entry->address[0]) == key->address[0] &&
           known_get(&entry->address[1]) == key->address[1] &&
           (uint32_t)known_get(&entry->target) == key->target && known_get(&entry->rules) == rules &&
           known_get(&entry->now) == atomic_load_explicit(&names_now, memory_order_acquire) &&
           known_get(&entry->control) ==
               control_word(atomic_load_explicit(&ready_now.header, memory_order_relaxed));
}

static inline struct known_look known_at_home(const struct known_key *key, uint64_t rules)
{
    struct known_look look = {.answer = KNOWN_NOT, .is_settled = true, .entry = key->home};

    look.version = atomic_load_explicit(&look.entry->version, memory_order_acquire);
    if (!known_holds(look.entry, key, rules))
        return look;
    uint64_t target = known_get(&look.entry->target);
    if (known_is_whole(look.entry, look.version))
        look.answer = (enum known_answer)(target >> KNOWN_ANSWER_AT);
    return look;
}

/* What known_look says of where a connect(2) leads, if that can be told at once; else KNOWN_NOT. */
static inline struct known_look known_at_once(const struct sockaddr *to, socklen_t length)
{
    uint64_t rules = atomic_load_explicit(&ready_now.number, memory_order_acquire);

    if (!rules || length > sizeof(struct sockaddr_storage) || !peer_is_near(to))
        return (struct known_look){.answer = KNOWN_NOT};
    if (__builtin_expect(to->sa_family == AF_INET, true) && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)to;
        const struct known_key key = known_key(in->sin_addr.s_addr, 0, PLACE_IPV4, ntohs(in->sin_port));
        return known_at_home(&key, rules);
    }
    if (to->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)to;
        uint64_t address[2]; /* IPv4 in IPv6's form is not kept as such */
        memcpy(address, &in6->sin6_addr, sizeof address);
        const struct known_key key = known_key(address[0], address[1], PLACE_IPV6, ntohs(in6->sin6_port));
        return known_at_home(&key, rules);
    }
    return (struct known_look){.answer = KNOWN_NOT};
}

#endif
