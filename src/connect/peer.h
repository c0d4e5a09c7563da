/*
 * Where a connect(2) leads: its address as a place, read with care, because the kernel answers EFAULT where a
 * hook would crash.
 */
#ifndef GUSSET_CONNECT_PEER_H
#define GUSSET_CONNECT_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/place.h"

/*
 * Reads an address. False for what no rule can name: netlink, vsock, AF_UNSPEC, abstract unix sockets, port
 * 0, what is too short, and memory that cannot be read. An internet place is without its text, which no rule
 * is searched by; peer_name adds it.
 */
bool peer_read(struct place *place, const struct sockaddr *to, socklen_t length);

/* The same of an address that is known to be readable, of whatever port. */
bool peer_of(struct place *place, const struct sockaddr *to, socklen_t length);

void peer_name(struct place *place);

/*
 * Whether it lies where the caller's frames are, and may be read without asking: who passes a wild pointer
 * does not hit them.
 */
enum { PEER_NEAR = 64 * 1024 };
static inline bool peer_is_near(const void *to)
{
    char here;
    return (uintptr_t)to - (uintptr_t)&here < PEER_NEAR - sizeof(struct sockaddr_storage);
}

/* AF_UNSPEC: the socket is to be disconnected. */
bool peer_leads_nowhere(const struct sockaddr *to, socklen_t length);

/* Remembers where the heap begins; before the program has grown it. */
void peer_remember_heap(void);

#endif
