/*
 * Connects that have begun and not ended when connect(2) returned: how they end is learnt where the program
 * learns it (SO_ERROR, a second connect, poll), or when it gives the socket up. A socket is known by its
 * descriptor and its cookie, since descriptors are used again, and closed in ways that pass gusset by. A
 * fixed table of the process; no lock; a child begins with an empty one.
 */
#ifndef GUSSET_CONNECT_PENDING_H
#define GUSSET_CONNECT_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "connect/socket.h"
#include "gate/gate.h"

enum { PENDING_SLOTS = 1024 /* a power of two, and a multiple of 64 */ };

/* What the table holds, on a page of its own that a fork wipes with the table; for the two questions below.
 */
extern struct pending_counter {
    _Alignas(4096) atomic_int sockets;
    atomic_int waiting;                         /* those of which it is not known how they ended */
    atomic_uint next;                           /* whom pending_look looks at first */
    _Atomic uint64_t marks[PENDING_SLOTS / 64]; /* of the slots of those that wait */
} pending_counter __attribute__((visibility("hidden")));

/* Whether there is anything to look for: all that most hooks ever ask. */
static inline bool pending_any(void)
{
    return atomic_load_explicit(&pending_counter.sockets, memory_order_relaxed) != 0;
}

static inline bool pending_any_waits(void)
{
    return atomic_load_explicit(&pending_counter.waiting, memory_order_relaxed) != 0;
}

/* At the first connect that a rule means: later a sandbox may not allow what is done here once. */
void pending_prepare(void);

enum pending_state {
    PENDING_NOT, /* not, or no longer, known */
    PENDING_ON_ITS_WAY,
    PENDING_CONNECTED /* it was observed; a connect(2) on it is a question, no new call */
};

/* What is known of the descriptor's socket. */
enum pending_state pending_find(int fd);

/*
 * Takes over a call whose attempt is on its way, and the limit that it stands under. Where the table is full
 * the limit is lifted and the call closed: it is not observed. cookie: the socket's; 0: to be asked for.
 */
void pending_add(int fd, uint64_t cookie, struct gate_call *call, struct socket_limit *limit);

/* The program was told how it ended: an errno, 0 for "no error", which need not mean connected. */
void pending_told(int fd, int error);

/* The socket is ready: connected, or nothing that is known yet. */
void pending_ready(int fd);

/* Some socket is ready, and it is not told which: the next of those that wait are looked at, so many at most.
 */
void pending_look(unsigned most);

/* Before descriptors are closed, or a socket shut down or disconnected; first..last. */
void pending_leave(int fd);
void pending_leave_range(unsigned first, unsigned last);

#endif
