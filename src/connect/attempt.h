/*
 * A connect under a rule: refused at once with the rule's errno, or made, limited in time, and made again on
 * the same descriptor where the socket may wait. One that does not wait for its outcome goes on as pending.
 * Nothing here allocates or locks, or holds a program whose socket does not block, unless retry.wait allows
 * it.
 */
#ifndef GUSSET_CONNECT_ATTEMPT_H
#define GUSSET_CONNECT_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "connect/known.h"
#include "connect/service.h"
#include "connect/socket.h"
#include "gate/gate.h"

/* As connect(2), errno included. */
int attempt_connect(int fd, const struct sockaddr *to, socklen_t length);

/* ---- for connect/again ---- */

/* A connect on its way through its attempts. */
struct attempt {
    int fd;
    const struct sockaddr *to;
    socklen_t length;
    enum socket_kind kind;
    bool is_presumed;       /* the kind: TCP is what it was the last time, and the kernel was not asked */
    bool is_near;           /* it leads to a port of this machine that a caller may be given */
    uint64_t returned_us;   /* when the last connect(2) that succeeded did */
    uint64_t hold_until_us; /* a socket that does not block may keep the program until then; 0: it blocks */
    uint64_t cookie;        /* of the socket; 0: it was not asked for yet */
    struct socket_limit limit;
    struct service service; /* that the program asked for */
    const struct place *place;
    bool is_searched;           /* the place was not known */
    struct known_moment moment; /* at which it was searched for */
    struct gate_call call;
};

/* Quicker than any handshake: Fast Open has put it off until the first write. */
enum { ATTEMPT_AT_ONCE_US = 8 };

/* All but what is known of the call, and of the socket: kind, is_presumed, limit. */
void attempt_begin(struct attempt *attempt, int fd, const struct sockaddr *to, socklen_t length,
                   const struct place *place);

/* Makes attempts until the call is over. Returns 0 or an errno. */
int attempt_run(struct attempt *attempt);

/* Makes an attempt; a limit on its time stands until socket_unlimit. Returns 0 or an errno. */
int attempt_make(struct attempt *attempt);

/* Whether it is TCP: asks the kernel where that was only presumed. */
bool attempt_is_tcp(struct attempt *attempt);

/* Whether a connect(2) that succeeded came back before any connection could. */
bool attempt_is_at_once(const struct attempt *attempt);

/*
 * Whether an attempt that succeeded was a connection, for all that can be told without asking: what was
 * presumed is believed where it took a connection's time, and where its success makes no failures forgotten.
 */
bool attempt_is_plain(const struct attempt *attempt);

#endif
