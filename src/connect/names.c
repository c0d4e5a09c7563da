#include "connect/names.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>

enum {
    SLOTS = 512, /* a power of two */
    WAYS = 4,
    NAME_ROOM = 104,
    WORDS = NAME_ROOM / 8
};

/* Even version: whole; odd: being written. A writer that loses the race leaves the slot to the other. */
struct slot {
    _Atomic uint64_t version;
    _Atomic uint64_t address[2];
    _Atomic uint64_t name[WORDS];
};

static struct slot slots[SLOTS];
static _Atomic unsigned turn;

static unsigned home_of(const uint64_t address[2])
{
    uint64_t mixed = (address[0] ^ (address[1] * 0x9E3779B97F4A7C15u)) * 0x9E3779B97F4A7C15u;
    return (unsigned)(mixed >> 32) & (SLOTS - 1) & ~(unsigned)(WAYS - 1);
}

/* The address as two words; IPv4 in its IPv6-mapped form, so that both families share the table. */
static void words_of(const struct place *place, uint64_t words[2])
{
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

    if (place->family == PLACE_IPV4)
        memcpy(bytes + 12, place->address, 4);
    else
        memcpy(bytes, place->address, 16);
    memcpy(words, bytes, sizeof bytes);
}

static bool is_at(struct slot *slot, const uint64_t address[2])
{
    return atomic_load_explicit(&slot->address[0], memory_order_relaxed) == address[0] &&
           atomic_load_explicit(&slot->address[1], memory_order_relaxed) == address[1];
}

static void write_slot(struct slot *slot, const uint64_t address[2], const char *name, size_t length)
{
    uint64_t version = atomic_load(&slot->version);
    uint64_t words[WORDS] = {0};

    if (version & 1 || !atomic_compare_exchange_strong(&slot->version, &version, version + 1))
        return;
    memcpy(words, name, length);
    for (int i = 0; i < 2; i++)
        atomic_store_explicit(&slot->address[i], address[i], memory_order_release);
    for (int i = 0; i < WORDS; i++)
        atomic_store_explicit(&slot->name[i], words[i], memory_order_release);
    atomic_store_explicit(&slot->version, version + 2, memory_order_release);
}

static void remember_one(const struct place *place, const char *name, size_t length)
{
    uint64_t address[2];
    words_of(place, address);
    struct slot *home = &slots[home_of(address)];

    for (int i = 0; i < WAYS; i++)
        if (is_at(&home[i], address) || !atomic_load(&home[i].version)) {
            write_slot(&home[i], address, name, length);
            return;
        }
    write_slot(&home[atomic_fetch_add(&turn, 1) % WAYS], address, name, length);
}

static bool place_of(const struct sockaddr *address, struct place *place)
{
    if (address->sa_family == AF_INET) {
        place_from_address(place, PLACE_IPV4, &((const struct sockaddr_in *)address)->sin_addr, 1);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        place_from_address(place, PLACE_IPV6, &((const struct sockaddr_in6 *)address)->sin6_addr, 1);
        return true;
    }
    return false;
}

void names_remember(const char *name, const struct addrinfo *addresses)
{
    size_t length = strlen(name);
    uint8_t literal[16];
    struct place place;

    if (length >= NAME_ROOM || place_parse_address(name, length, literal) != PLACE_NAME)
        return;
    for (; addresses; addresses = addresses->ai_next)
        if (addresses->ai_addr && place_of(addresses->ai_addr, &place))
            remember_one(&place, name, length);
}

static bool read_slot(struct slot *slot, const uint64_t address[2], char *name)
{
    uint64_t before = atomic_load_explicit(&slot->version, memory_order_acquire);
    uint64_t words[WORDS];

    if (!before || before & 1 || !is_at(slot, address))
        return false;
    for (int i = 0; i < WORDS; i++)
        words[i] = atomic_load_explicit(&slot->name[i], memory_order_acquire);
    if (atomic_load_explicit(&slot->version, memory_order_relaxed) != before || !is_at(slot, address))
        return false;
    memcpy(name, words, NAME_ROOM);
    return name[0] != '\0';
}

bool names_find(const struct place *address, struct place *named)
{
    uint64_t words[2];
    char name[NAME_ROOM];
    words_of(address, words);
    struct slot *home = &slots[home_of(words)];

    for (int i = 0; i < WAYS; i++)
        if (read_slot(&home[i], words, name))
            return place_from_host(named, name, strnlen(name, sizeof name), address->port);
    return false;
}
