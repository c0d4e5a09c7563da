/*
 * Programs that use connect(2) in ways that are legal and rare. Usage: sockets SCENARIO ARGUMENT ...
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char **words;

static struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, host, &to.sin_addr);
    return to;
}

static int dial(int fd, const struct sockaddr_in *to)
{
    return connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 ? 0 : errno;
}

/* rust HOST PORT: as Rust's connect_timeout does: it asks SO_ERROR only where poll tells of an error */
static void rust(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = dial(fd, &to);
    struct pollfd one = {.fd = fd, .events = POLLOUT};

    if (error == EINPROGRESS) {
        error = poll(&one, 1, 30000) == 1 ? 0 : ETIMEDOUT;
        if (one.revents & (POLLHUP | POLLERR)) {
            socklen_t size = sizeof error;
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
    }
    fcntl(fd, F_SETFL, 0);
    printf("%s\n", error ? strerror(error) : "connected");
    close(fd);
}

int main(int count, char **all)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"rust", rust},
    };

    words = all + 2;
    for (size_t i = 0; count > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(all[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    fprintf(stderr, "usage: sockets SCENARIO ...\n");
    return 2;
}
