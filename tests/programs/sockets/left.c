/* What a connect leaves behind on its socket. */
#include "sockets.h"

#include <signal.h>
#include <sys/select.h>

static void say_left(const char *way, int fd, int result)
{
    struct timeval limit = {-1, -1};
    socklen_t size = sizeof limit;

    getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
    printf("%s: %s, user timeout %d, send timeout %ld.%ld, error %d, flags %o, mark %d\n", way,
           strerror(result), option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), (long)limit.tv_sec,
           (long)limit.tv_usec, option_of(fd, SOL_SOCKET, SO_ERROR), fcntl(fd, F_GETFL),
           option_of(fd, IPPROTO_TCP, TCP_NODELAY));
    close(fd);
}

/* left HOST PORT: a socket's options after each way to a connection */
void left(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int own_ms = 70000, one = 1, fd = stream(true);
    struct timeval own = {33, 0};

    errno = 0;
    say_left("blocking", fd, dial(fd, &to));
    fd = stream(true);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &own, sizeof own);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    say_left("blocking, with limits of its own", fd, dial(fd, &to));
    fd = stream(false);
    dial(fd, &to);
    wait_for(fd);
    say_left("poll", fd, 0);
    fd = stream(false);
    dial(fd, &to);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms);
    wait_for(fd);
    say_left("poll, with a limit set meanwhile", fd, 0);
    fd = stream(false);
    dial(fd, &to);
    usleep(50000);
    say_left("SO_ERROR", fd, option_of(fd, SOL_SOCKET, SO_ERROR));
    fd = stream(false);
    dial(fd, &to);
    usleep(50000);
    say_left("a second connect", fd, dial(fd, &to));
    fd = stream(false);
    dial(fd, &to);
    wait_for(fd);
    int second = dial(fd, &to), third = dial(fd, &to);
    printf("second %d third %d\n", second, third);
    say_left("poll and a second connect", fd, 0);
    fd = stream(false);
    dial(fd, &to);
    int twin = dup(fd);
    close(fd);
    wait_for(twin);
    say_left("the other of two descriptors", twin, option_of(twin, SOL_SOCKET, SO_ERROR));
    fd = stream(false);
    dial(fd, &to);
    int other = open("/dev/null", O_RDONLY);
    twin = dup(fd);
    dup2(other, fd);
    wait_for(twin);
    say_left("one that dup2 has replaced", twin, 0);
    close(other);
    close(fd);
}
