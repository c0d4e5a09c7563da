/*
 * What one blocking connect(2) to a listener on loopback takes, in this process; socket, accept and close
 * are not counted. Three ways take turns: past whoever stands in front of libc, through them, and past them
 * but between the three system calls that keep a limit on time (what was set, ours, back). connects N [NAMES]
 * NAMES: so many names are looked up before, none of which needs a resolver Prints: the median ns of a
 * connect in each way.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

enum way { PAST, THROUGH, LIMITED, WAYS };

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static int listen_somewhere(struct sockaddr_in *at)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* Below the ports that the kernel picks for callers, as servers are. */
    for (int port = 20000 + getpid() % 4000; port < 32000; port++) {
        *at = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (bind(listener, (struct sockaddr *)at, sizeof *at) == 0 && listen(listener, 64) == 0)
            return listener;
    }
    exit(2);
}

/* An address in a spelling that libc reads by itself, and that is no literal address for a rule: a name. */
static void look_up(unsigned address)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char name[16];

    snprintf(name, sizeof name, "0x%08x", address);
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        exit(2);
    freeaddrinfo(found);
}

/* Closed by RST, so that no port is left waiting; past the hooks, which are not measured here. */
static void drop(int client, int server)
{
    struct linger none = {.l_onoff = 1};

    setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    syscall(SYS_close, client);
    syscall(SYS_close, server);
}

static long connect_past(int client, const struct sockaddr_in *to)
{
    return syscall(SYS_connect, client, to, sizeof *to);
}

static long connect_limited(int client, const struct sockaddr_in *to)
{
    unsigned own_ms = 0, limit_ms = 5000;
    socklen_t size = sizeof own_ms;

    syscall(SYS_getsockopt, client, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, &size);
    syscall(SYS_setsockopt, client, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
    long result = connect_past(client, to);
    syscall(SYS_setsockopt, client, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms);
    return result;
}

static long connect_in(enum way way, int client, const struct sockaddr_in *to)
{
    switch (way) {
    case PAST:
        return connect_past(client, to);
    case LIMITED:
        return connect_limited(client, to);
    case THROUGH:
    case WAYS:
        break;
    }
    return connect(client, (const struct sockaddr *)to, sizeof *to);
}

int main(int count, char **words)
{
    long rounds = count > 1 ? atol(words[1]) : 0, names = count > 2 ? atol(words[2]) : 0;
    double *took_ns[WAYS];
    struct sockaddr_in at;
    int listener = listen_somewhere(&at);

    if (rounds <= 0)
        return 2;
    for (int way = 0; way < WAYS; way++)
        if (!(took_ns[way] = calloc((size_t)rounds, sizeof **took_ns)))
            return 2;
    for (unsigned i = 0; i < names; i++)
        look_up(i + 1 < names ? 0x0a000001 + i * 251 : INADDR_LOOPBACK);
    for (long i = 0; i < rounds * WAYS; i++) {
        enum way way = (enum way)(i % WAYS);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        double began_ns = clock_ns();
        long failed = connect_in(way, client, &at);
        took_ns[way][i / WAYS] = clock_ns() - began_ns;
        if (failed)
            return 1;
        drop(client, accept(listener, NULL, NULL));
    }
    for (int way = 0; way < WAYS; way++) {
        qsort(took_ns[way], (size_t)rounds, sizeof **took_ns, by_size);
        printf("%.1f%c", took_ns[way][rounds / 2], way + 1 < WAYS ? ' ' : '\n');
        free(took_ns[way]);
    }
    return 0;
}
