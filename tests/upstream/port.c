#include "port.h"

#include "stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    PORT_BACKLOG = 4096,
    PORT_ACCEPTS = 256, /* a round */
    PORT_RETRY_MS = 20,
};

static void on_ready(struct watcher *watcher, uint32_t events)
{
    struct port *port = (struct port *)watcher;
    (void)events;
    for (unsigned i = 0; i < PORT_ACCEPTS && port->fd >= 0; i++) {
        int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (port->connections)
            ++*port->connections;
        if (port->conns.live >= port->conns_most)
            stream_reset_fd(fd);
        else
            conn_open(&port->conns, fd);
    }
}

/* A socket bound to the port's address, or -errno. */
static int bound_socket(const struct port *port)
{
    int on = 1;
    int fd = socket(port->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Two sockets may share an address by this as long as not both listen. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Accepted sockets inherit it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&port->address, port->address_length) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static int start_listening(struct port *port)
{
    int fd = bound_socket(port);
    if (fd < 0)
        return fd;
    int result = listen(fd, PORT_BACKLOG) < 0 ? -errno : 0;
    if (result == 0)
        result = loop_watch(port->conns.loop, &port->watcher, fd, EPOLLIN);
    if (result < 0)
        close(fd);
    else
        port->fd = fd;
    return result;
}

int port_up(struct port *port)
{
    timer_cancel(&port->conns.loop->timers, &port->retry);
    int result = port->fd >= 0 ? 0 : start_listening(port);
    if (result < 0)
        timer_set(&port->conns.loop->timers, &port->retry, loop_now_ns() + PORT_RETRY_MS * UINT64_C(1000000));
    return result;
}

static void on_retry(struct timer *timer)
{
    port_up((struct port *)((char *)timer - offsetof(struct port, retry)));
}

void port_down(struct port *port)
{
    timer_cancel(&port->conns.loop->timers, &port->retry);
    if (port->fd >= 0)
        close(port->fd); /* what waits in the backlog is reset by the kernel */
    port->fd = -1;
    conn_reset_all(&port->conns);
}

static int resolve(struct port *port, const char *address, unsigned number)
{
    char service[16];
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    snprintf(service, sizeof service, "%u", number);
    if (getaddrinfo(address, service, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    port->address_length = found->ai_addrlen;
    memcpy(&port->address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

int port_open(struct port *port, const char *address, unsigned number)
{
    port->watcher.ready = on_ready;
    port->retry.fire = on_retry;
    port->fd = -1;
    port->hold_fd = -1;
    int result = resolve(port, address, number);
    if (result < 0)
        return result;
    result = bound_socket(port);
    if (result < 0)
        return result;
    port->hold_fd = result;
    port->address_length = sizeof port->address;
    getsockname(port->hold_fd, (struct sockaddr *)&port->address, &port->address_length);
    return start_listening(port);
}

unsigned port_number(const struct port *port)
{
    const struct sockaddr_storage *address = &port->address;
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

void port_close(struct port *port)
{
    port_down(port);
    if (port->hold_fd >= 0)
        close(port->hold_fd);
    port->hold_fd = -1;
}
