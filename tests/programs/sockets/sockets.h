/* What the scenarios of the client share; each takes its arguments from words. */
#ifndef GUSSET_PROGRAMS_SOCKETS_H
#define GUSSET_PROGRAMS_SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

extern char **words;

/* nonblocking.c */
void rust(void);
void held(void);
void looped(void);
void unasked(void);

/* addresses.c */
void fault(void);
void others(void);
void mixed(void);
void itself(void);

/* left.c */
void left(void);

/* children.c */
void handler(void);
void forks(void);
void torn(void);
void vforks(void);
void replaced(void);
void narrow(void);

/* silence.c */
void dropped(void);
void reset(void);

/* descriptors.c */
void descriptors(void);

/* names.c */
void names(void);

/* sandbox.c */
void sandbox(void);

static inline struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, host, &to.sin_addr);
    return to;
}

static inline int dial(int fd, const struct sockaddr_in *to)
{
    return connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 ? 0 : errno;
}

static inline int stream(bool blocks)
{
    return socket(AF_INET, SOCK_STREAM | (blocks ? 0 : SOCK_NONBLOCK), 0);
}

static inline int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, option, &value, &size) == 0 ? value : -errno;
}

static inline void wait_for(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    poll(&one, 1, 30000);
}

static inline long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
