/*
 * What one blocking connect(2) to a listener on loopback takes, in this process; socket, accept and close
 * are not counted. The ways take turns in an order that changes: libc's own connect, whoever stands in front
 * of it, libc's between the two system calls that keep a limit on time, and libc's once more, which tells how
 * far the numbers can be trusted. connects N [NAMES]
 * NAMES: so many names are looked up before, none of which needs a resolver. Prints: the ns of a connect in
 * each way, by the quicker quarter: who else is on the machine only ever adds.
 */
#include <link.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

enum way { PAST, THROUGH, LIMITED, PAST_TOO, WAYS };

static union {
    ElfW(Addr) address;
    int (*function)(int, const struct sockaddr *, socklen_t);
} libc_connect;

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

/* libc's own, read from its table of symbols: the loader would answer with who stands in front. */
static int look_into(struct dl_phdr_info *object, size_t size, void *unused)
{
    const ElfW(Sym) *symbol = NULL;
    const char *names = NULL;
    (void)size;
    (void)unused;

    for (int i = 0; strstr(object->dlpi_name, "libc.so") && i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *one = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; one->d_tag != DT_NULL; one++) {
            symbol = one->d_tag == DT_SYMTAB ? (const void *)one->d_un.d_ptr : symbol;
            names = one->d_tag == DT_STRTAB ? (const void *)one->d_un.d_ptr : names;
        }
    }
    for (; symbol && names && (const char *)symbol < names; symbol++) /* the one lies before the other */
        if (strcmp(names + symbol->st_name, "connect") == 0)
            libc_connect.address = object->dlpi_addr + symbol->st_value;
    return 0;
}

static int connect_limited(int client, const struct sockaddr_in *to)
{
    unsigned own_ms = 0, limit_ms = 5000;

    syscall(SYS_setsockopt, client, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
    int result = libc_connect.function(client, (const struct sockaddr *)to, sizeof *to);
    syscall(SYS_setsockopt, client, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms);
    return result;
}

static int connect_in(enum way way, int client, const struct sockaddr_in *to)
{
    switch (way) {
    case PAST:
    case PAST_TOO:
        return libc_connect.function(client, (const struct sockaddr *)to, sizeof *to);
    case LIMITED:
        return connect_limited(client, to);
    case THROUGH:
    case WAYS:
        break;
    }
    return connect(client, (const struct sockaddr *)to, sizeof *to);
}

/* Each way comes after each other one equally often. */
static enum way turn(long i)
{
    static const enum way turns[WAYS][WAYS] = {
        {PAST,     THROUGH,  LIMITED,  PAST_TOO},
        {THROUGH,  PAST_TOO, PAST,     LIMITED },
        {PAST_TOO, LIMITED,  THROUGH,  PAST    },
        {LIMITED,  PAST,     PAST_TOO, THROUGH },
    };
    return turns[i / WAYS % WAYS][i % WAYS];
}

int main(int count, char **words)
{
    long rounds = count > 1 ? atol(words[1]) : 0, names = count > 2 ? atol(words[2]) : 0;
    double *took_ns[WAYS];
    struct sockaddr_in at;
    int listener = listen_somewhere(&at);

    dl_iterate_phdr(look_into, NULL);
    if (rounds <= 0 || !libc_connect.address)
        return 2;
    for (int way = 0; way < WAYS; way++)
        if (!(took_ns[way] = calloc((size_t)rounds, sizeof **took_ns)))
            return 2;
    for (unsigned i = 0; i < names; i++)
        look_up(i + 1 < names ? 0x0a000001 + i * 251 : INADDR_LOOPBACK);
    for (long i = 0; i < rounds * WAYS; i++) {
        enum way way = turn(i);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        double began_ns = clock_ns();
        int failed = connect_in(way, client, &at);
        took_ns[way][i / WAYS] = clock_ns() - began_ns;
        if (failed)
            return 1;
        drop(client, accept(listener, NULL, NULL));
    }
    for (int way = 0; way < WAYS; way++) {
        qsort(took_ns[way], (size_t)rounds, sizeof **took_ns, by_size);
        printf("%.1f%c", took_ns[way][rounds / 4], way + 1 < WAYS ? ' ' : '\n');
        free(took_ns[way]);
    }
    return 0;
}
