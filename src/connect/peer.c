#include "connect/peer.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/raw.h"

enum { WORD = 8, PAGE = 4096 };

static uintptr_t heap_begins;

void peer_remember_heap(void)
{
    heap_begins = (uintptr_t)sbrk(0);
}

/* The heap that grows by brk is taken for readable, too. sbrk(0) is no system call, glibc and musl remember.
 */
static bool is_in_heap(uintptr_t first, uintptr_t last)
{
    return heap_begins && first >= heap_begins && last < (uintptr_t)sbrk(0);
}

/* Of anything else the kernel is asked, a page at a time: an address is smaller than one. */
static __attribute__((noinline)) bool is_readable_elsewhere(uintptr_t first, uintptr_t last)
{
    if (first < PAGE || last < first)
        return false;
    if (is_in_heap(first, last))
        return true;
    return sys_can_read_8((const void *)first) &&
           (first / PAGE == last / PAGE || sys_can_read_8((const void *)(last & ~(uintptr_t)(WORD - 1))));
}

static inline bool is_readable(const void *to, socklen_t length)
{
    uintptr_t first = (uintptr_t)to, last = first + length - 1;
    return peer_is_near(to) || is_readable_elsewhere(first, last);
}

/* In whole words, which are read as such right after. */
static inline void put(struct place *place, enum place_family family, uint64_t first, uint64_t second,
                       in_port_t port)
{
    memcpy(place->address, &first, sizeof first);
    memcpy(place->address + sizeof first, &second, sizeof second);
    place->family = (uint8_t)family;
    place->name_length = 0;
    place->name[0] = '\0';
    place->port = ntohs(port);
}

static inline void put_ipv4(struct place *place, const void *address, in_port_t port)
{
    uint64_t word = 0;

    memcpy(&word, address, sizeof(struct in_addr));
    put(place, PLACE_IPV4, word, 0, port);
}

/* IPv4 in its IPv6-mapped form is IPv4. */
static void put_ipv6(struct place *place, const struct in6_addr *address, in_port_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint64_t words[2];

    memcpy(words, address, sizeof words);
    if (memcmp(address, mapped, sizeof mapped) == 0)
        put_ipv4(place, address->s6_addr + sizeof mapped, port);
    else
        put(place, PLACE_IPV6, words[0], words[1], port);
}

static inline bool read_place(struct place *place, const struct sockaddr *to, socklen_t length)
{
    if (to->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)to;
        put_ipv4(place, &in->sin_addr, in->sin_port);
        return true;
    }
    /* The kernel does without the scope at the end (RFC 2133). */
    if (to->sa_family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)to;
        put_ipv6(place, &in6->sin6_addr, in6->sin6_port);
        return true;
    }
    return false;
}

bool peer_of(struct place *place, const struct sockaddr *to, socklen_t length)
{
    return read_place(place, to, length);
}

bool peer_read(struct place *place, const struct sockaddr *to, socklen_t length)
{
    if (length <= sizeof to->sa_family || length > sizeof(struct sockaddr_storage) ||
        !is_readable(to, length))
        return false;
    if (to->sa_family == AF_UNIX) {
        const char *path = ((const struct sockaddr_un *)to)->sun_path;
        size_t room = length - offsetof(struct sockaddr_un, sun_path);
        return place_from_path(place, path, strnlen(path, room));
    }
    return read_place(place, to, length) && place->port != 0;
}

bool peer_leads_nowhere(const struct sockaddr *to, socklen_t length)
{
    return length >= sizeof to->sa_family && is_readable(to, sizeof to->sa_family) &&
           to->sa_family == AF_UNSPEC;
}

void peer_name(struct place *place)
{
    uint8_t address[16];

    if (place->family != PLACE_IPV4 && place->family != PLACE_IPV6)
        return;
    memcpy(address, place->address, sizeof address);
    place_from_address(place, (enum place_family)place->family, address, place->port);
}
