#include "tool/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static bool read_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    *port = htons((in_port_t)number);
    return *text >= '0' && *text <= '9' && !*end && number <= 65535;
}

/* Splits at the last colon; what has none is a port. */
static const char *parse(const char *where, struct sockaddr_in6 *six, struct sockaddr_in *four)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;
    char host[LISTEN_ADDRESS] = "127.0.0.1";

    if (length >= sizeof host || !read_port(colon ? colon + 1 : where, &four->sin_port))
        return "expected PORT, ADDRESS:PORT or [ADDRESS]:PORT, such as 127.0.0.1:9464";
    six->sin6_port = four->sin_port;
    if (length)
        snprintf(host, sizeof host, "%.*s", (int)length, where);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        six->sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1 ? NULL : "that is no IPv6 address";
    }
    four->sin_family = AF_INET;
    return inet_pton(AF_INET, host, &four->sin_addr) == 1
               ? NULL
               : "expected an address in numbers, such as 127.0.0.1";
}

static void tell_address(int listener, char address[LISTEN_ADDRESS])
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    char text[INET6_ADDRSTRLEN] = "";

    getsockname(listener, (struct sockaddr *)&bound, &length);
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&bound;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&bound;
    if (bound.ss_family == AF_INET6)
        snprintf(address, LISTEN_ADDRESS, "[%s]:%u", inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text),
                 ntohs(six->sin6_port));
    else
        snprintf(address, LISTEN_ADDRESS, "%s:%u", inet_ntop(AF_INET, &four->sin_addr, text, sizeof text),
                 ntohs(four->sin_port));
}

const char *listen_open(const char *where, int *listener, char address[LISTEN_ADDRESS])
{
    struct sockaddr_in6 six = {0};
    struct sockaddr_in four = {0};
    const char *fault = parse(where, &six, &four);
    const int yes = 1;

    if (fault)
        return fault;
    bool is_six = six.sin6_family == AF_INET6;
    *listener = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*listener < 0)
        return strerror(errno);
    setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const struct sockaddr *to = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    if (bind(*listener, to, is_six ? sizeof six : sizeof four) < 0 || listen(*listener, BACKLOG) < 0) {
        int error = errno;
        close(*listener);
        *listener = -1;
        return error == EADDRINUSE ? "somebody listens there already; port 0 takes a free one"
                                   : strerror(error);
    }
    tell_address(*listener, address);
    return NULL;
}
