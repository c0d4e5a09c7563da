/* Sockets that do not block. */
#include "sockets.h"

#include <sys/epoll.h>

/* rust HOST PORT: as Rust's connect_timeout does: it asks SO_ERROR only where poll tells of an error */
void rust(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fd = stream(false), error = dial(fd, &to);
    struct pollfd one = {.fd = fd, .events = POLLOUT};

    if (error == EINPROGRESS) {
        error = poll(&one, 1, 30000) == 1 ? 0 : ETIMEDOUT;
        if (one.revents & (POLLHUP | POLLERR))
            error = option_of(fd, SOL_SOCKET, SO_ERROR);
    }
    fcntl(fd, F_SETFL, 0);
    printf("%s; user timeout %d\n", error ? strerror(error) : "connected",
           option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
    close(fd);
}

/* held HOST PORT: what a socket that does not block says when it is asked once more, of a refusal at once */
void held(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fd = stream(false);

    for (int i = 0; i < 3; i++)
        printf("%s ", strerror(dial(fd, &to)));
    printf("\n");
}

typedef int wait_function(int loop, struct epoll_event *events);

static int by_wait(int loop, struct epoll_event *events)
{
    return epoll_wait(loop, events, 4, 30000);
}

static int by_pwait(int loop, struct epoll_event *events)
{
    return epoll_pwait(loop, events, 4, 30000, NULL);
}

/*
 * looped HOST PORT: as haproxy does: what epoll says of a socket is believed, and nothing is asked of it. All
 * stay connected.
 */
void looped(void)
{
    static wait_function *const ways[] = {by_wait, by_pwait};
    struct sockaddr_in to = address_of(words[0], words[1]);
    int loop = epoll_create1(0);

    for (int i = 0; i < 6; i++) {
        int fd = stream(false), error = dial(fd, &to);
        struct epoll_event event = {.events = EPOLLOUT | EPOLLRDHUP, .data.fd = fd};
        if (error && error != EINPROGRESS) {
            printf("%s\n", strerror(error));
            continue;
        }
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
        while (ways[i % 2](loop, &event) != 1 || event.data.fd != fd)
            ;
        epoll_ctl(loop, EPOLL_CTL_DEL, fd, NULL);
        printf("%s; user timeout %d\n", event.events & (EPOLLHUP | EPOLLERR) ? "failed" : "connected",
               option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
    }
}

/* unasked HOST PORT: connects, and neither waits nor asks; the connections live for a while. */
void unasked(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fds[4];

    for (int i = 0; i < 4; i++) {
        fds[i] = stream(false);
        dial(fds[i], &to);
    }
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    for (int i = 0; i < 4; i++)
        printf("%d\n", close(fds[i]));
}
