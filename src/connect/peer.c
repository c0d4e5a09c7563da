#include "connect/peer.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/raw.h"

enum { NEAR = 64 * 1024, WORD = 8, PAGE = 4096 };

static uintptr_t heap_begins;

void peer_remember_heap(void)
{
    heap_begins = (uintptr_t)sbrk(0);
}

/*
 * The caller's frames and the heap that grows by brk are taken for readable: who passes a wild pointer hits
 * neither. sbrk(0) is no system call, glibc and musl remember.
 */
static bool is_surely_readable(uintptr_t first, uintptr_t last)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (first >= here && last < here + NEAR)
        return true;
    return heap_begins && first >= heap_begins && last < (uintptr_t)sbrk(0);
}

/* Of anything else the kernel is asked, a page at a time: an address is smaller than one. */
static bool is_readable(const void *to, socklen_t length)
{
    uintptr_t first = (uintptr_t)to, last = first + length - 1;

    if (first < PAGE || last < first)
        return false;
    if (is_surely_readable(first, last))
        return true;
    return sys_can_read_8(to) &&
           (first / PAGE == last / PAGE || sys_can_read_8((const void *)(last & ~(uintptr_t)(WORD - 1))));
}

/* IPv4 in its IPv6-mapped form is IPv4. */
static void take_address(struct place *place, enum place_family family, const void *address, in_port_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *bytes = address;

    if (family == PLACE_IPV6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
        family = PLACE_IPV4;
        bytes += sizeof mapped;
    }
    memset(place->address, 0, sizeof place->address);
    memcpy(place->address, bytes, family == PLACE_IPV6 ? 16 : 4);
    place->family = (uint8_t)family;
    place->name_length = 0;
    place->name[0] = '\0';
    place->port = ntohs(port);
}

bool peer_of(struct place *place, const struct sockaddr *to, socklen_t length)
{
    if (to->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)to;
        take_address(place, PLACE_IPV4, &in->sin_addr, in->sin_port);
        return true;
    }
    /* The kernel does without the scope at the end (RFC 2133). */
    if (to->sa_family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)to;
        take_address(place, PLACE_IPV6, &in6->sin6_addr, in6->sin6_port);
        return true;
    }
    return false;
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
    return peer_of(place, to, length) && place->port != 0;
}

bool peer_leads_nowhere(const struct sockaddr *to, socklen_t length)
{
    return length >= sizeof to->sa_family && is_readable(to, sizeof to->sa_family) &&
           to->sa_family == AF_UNSPEC;
}

bool peer_is_loopback(const struct place *place)
{
    static const uint8_t here[16] = {[15] = 1};
    return place->family == PLACE_IPV4 ? place->address[0] == 127
                                       : memcmp(place->address, here, sizeof here) == 0;
}

void peer_name(struct place *place)
{
    uint8_t address[16];

    if (place->family != PLACE_IPV4 && place->family != PLACE_IPV6)
        return;
    memcpy(address, place->address, sizeof address);
    place_from_address(place, (enum place_family)place->family, address, place->port);
}
