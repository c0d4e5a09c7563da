/*
 * The libc functions that gusset stands in front of, and the way past it: real.connect is the next
 * connect in the loader's order. Each pointer starts as a finder that looks its function up at the first
 * call and puts it in its place, so that a call before our constructor works as well as one after it.
 */
#ifndef GUSSET_SYS_REAL_H
#define GUSSET_SYS_REAL_H

#include <netdb.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* name, result, parameters, arguments, what to answer when there is none such */
#define REAL_FUNCTIONS(X)                                                                                    \
    X(connect, int, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length),                 \
      real_no_connect(fd, to, length))                                                                       \
    X(getaddrinfo, int,                                                                                      \
      (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result),       \
      (node, service, hints, result), EAI_FAIL)

struct real {
#define X(name, result, parameters, arguments, otherwise) result(*_Atomic name) parameters;
    REAL_FUNCTIONS(X)
#undef X
};

extern struct real real;

#endif
