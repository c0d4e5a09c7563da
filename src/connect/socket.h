/*
 * What the kernel knows of a socket, and the few things that gusset does to one: a limit on the time that it
 * takes to connect, and the way back to where it can be connected again. Each question is a system call.
 */
#ifndef GUSSET_CONNECT_SOCKET_H
#define GUSSET_CONNECT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

enum socket_kind { SOCKET_OTHER, SOCKET_TCP, SOCKET_UNIX_STREAM };

/* How far a TCP socket has come. */
enum socket_progress {
    SOCKET_UNKNOWN,    /* it is none, or no longer there */
    SOCKET_IDLE,       /* closed: not begun, or failed */
    SOCKET_CONNECTING, /* on its way */
    SOCKET_CONNECTED   /* the peer has answered, whatever came after */
};

/* SOCKET_OTHER: datagrams, MPTCP (it ignores every limit), SCTP, what is no socket. */
enum socket_kind socket_kind(int fd, bool is_unix);

enum socket_progress socket_progress(int fd);

/* Whether a TCP socket that is closed by now was connected before: the peer has acknowledged its SYN. */
bool socket_was_connected(int fd);

/* How long a packet takes to a peer that is, or was, connected and back; 0: not known. */
uint32_t socket_round_trip_us(int fd);

/* A number that no other socket of the machine bears until it boots again; 0 where the kernel has none. */
uint64_t socket_cookie(int fd);

bool socket_is_blocking(int fd);

/* The pending error, which is thereby taken from the socket; 0: none. */
int socket_take_error(int fd);

/* A port of this machine's can connect to itself where it is the one that the kernel picked for the caller.
 */
bool socket_is_own_peer(int fd, const struct sockaddr *to);

/* Makes a TCP socket ready for another connect(2): options and an explicit bind(2) stay. */
void socket_disconnect(int fd);

/* From here on TCP_USER_TIMEOUT limits a connect: the first SYN is sent again after a second, and only then
 * looked at. */
enum { SOCKET_USER_TIMEOUT_FLOOR_MS = 1000 };

/* What the program had set, to be put back. Zero: nothing was changed. */
struct socket_limit {
    enum socket_limit_kind { SOCKET_NO_LIMIT, SOCKET_USER_TIMEOUT, SOCKET_SEND_TIMEOUT } kind;
    uint32_t limit_ms; /* ours */
    uint32_t user_timeout_ms;
    struct timeval send_timeout;
};

/*
 * The program sets TCP_USER_TIMEOUT on a socket: from now on each is asked what it has before gusset's own
 * limit is put there. Until then it is none (but see src/README.md, "Known").
 */
void socket_expect_user_timeouts(void);

/*
 * Limits how long a connect may take; limit_ms > 0. A shorter limit of the program's stays. The kernel keeps
 * TCP_USER_TIMEOUT for sockets that block and that do not, from a second on (a shorter one ends after a
 * second); below that, and for unix sockets, SO_SNDTIMEO does it where the socket blocks.
 */
void socket_limit(int fd, enum socket_kind kind, uint32_t limit_ms, struct socket_limit *limit);
void socket_shorten(int fd, uint32_t limit_ms); /* of a send timeout that was set, what is left */
void socket_unlimit(int fd, struct socket_limit *limit);

/* The same when the program has run meanwhile and may have set a limit of its own: that stays. */
void socket_unlimit_unless_changed(int fd, struct socket_limit *limit);

#endif
