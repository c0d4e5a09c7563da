/*
 * What one blocking connect(2) to a listener on loopback takes, in this process; socket, accept and close
 * are not counted.
 *   connects N
 * Prints: the median ns of a connect.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

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

/* Closed by RST, so that no port is left waiting. */
static void drop(int fd)
{
    struct linger none = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

int main(int count, char **words)
{
    long rounds = count > 1 ? atol(words[1]) : 0;
    double *took_ns = calloc(rounds > 0 ? (size_t)rounds : 1, sizeof *took_ns);
    struct sockaddr_in at;
    int listener = listen_somewhere(&at);

    if (rounds <= 0 || !took_ns)
        return 2;
    for (long i = 0; i < rounds; i++) {
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        double began_ns = clock_ns();
        int failed = connect(client, (struct sockaddr *)&at, sizeof at);
        took_ns[i] = clock_ns() - began_ns;
        if (failed)
            return 1;
        int server = accept(listener, NULL, NULL);
        drop(client);
        close(server);
    }
    qsort(took_ns, (size_t)rounds, sizeof *took_ns, by_size);
    printf("%.1f\n", took_ns[rounds / 2]);
    free(took_ns);
    return 0;
}
