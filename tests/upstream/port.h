/* A listening port that can be taken down and up again under the same number.
 * A second, never listening socket holds the number meanwhile, so that no one else is given it. */
#ifndef PORT_H
#define PORT_H

#include "conn.h"

#include <sys/socket.h>

struct port {
    struct watcher watcher; /* first: the loop knows it by this */
    struct timer retry;
    struct conn_group conns;
    struct sockaddr_storage address;
    socklen_t address_length;
    size_t conns_most;     /* further ones are reset at once */
    uint64_t *connections; /* where accepted ones are counted; may be NULL */
    int hold_fd;
    int fd; /* -1: down */
};

/* Binds address:number and listens; number 0 lets the kernel choose. `conns`, `conns_most` and
 * `connections` are the caller's to fill before. 0 or -errno. */
int port_open(struct port *port, const char *address, unsigned number);

/* The number it is bound to. */
unsigned port_number(const struct port *port);

/* Listens again; tries until it works if the first time fails. 0 or -errno of the first time. */
int port_up(struct port *port);

/* Refuses connects, and resets the connections there are. */
void port_down(struct port *port);

void port_close(struct port *port);

#endif
