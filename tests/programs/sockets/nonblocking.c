/* Sockets that do not block. */
#include "sockets.h"

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
