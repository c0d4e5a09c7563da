/*
 * A program with a TCP_USER_TIMEOUT of its own: patient WAY PORT. It says what its sockets have when they are
 * connected, three times, so that the way is known.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OWN_MS = 70000, SHORT_MS = 1000, FULL = 3 };

static struct sockaddr_in to;

static int stream(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void set(int fd, int ms)
{
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

static int dial(int fd)
{
    return connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
}

static void say(int fd)
{
    int ms = -1;
    socklen_t size = sizeof ms;

    getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &size);
    printf("%d ", ms);
    fflush(stdout);
}

static void dial_and_say(int fd)
{
    int error = dial(fd);
    if (error)
        printf("%s ", strerror(error));
    say(fd);
    close(fd);
}

static void none(void)
{
    dial_and_say(stream());
}

/* The first socket has none, and is under way when the option comes into use. */
static void late(void)
{
    int first = stream(), second = stream();

    dial(first);
    set(second, OWN_MS);
    dial_and_say(second);
    say(first);
    close(first);
}

static void before_dup(void)
{
    int fd = stream();

    set(fd, OWN_MS);
    dial_and_say(dup(fd));
    say(fd);
    close(fd);
}

static void after_dup(void)
{
    int fd = stream(), twin = dup(fd);

    set(twin, OWN_MS);
    dial_and_say(fd);
    say(twin);
    close(twin);
}

static void in_child(int fd)
{
    int status;

    fflush(stdout);
    if (fork() == 0) {
        dial_and_say(fd);
        _exit(0);
    }
    wait(&status);
    say(fd);
    close(fd);
}

static void before_fork(void)
{
    int fd = stream();

    set(fd, OWN_MS);
    in_child(fd);
}

static void after_fork(void)
{
    int status;

    fflush(stdout);
    if (fork() == 0) {
        int fd = stream();
        set(fd, OWN_MS);
        dial_and_say(fd);
        _exit(0);
    }
    wait(&status);
}

static void *set_there(void *fd)
{
    set(*(int *)fd, OWN_MS);
    return NULL;
}

static void in_thread(void)
{
    int fd = stream();
    pthread_t thread;

    pthread_create(&thread, NULL, set_there, &fd);
    pthread_join(thread, NULL);
    dial_and_say(fd);
}

static void again(void)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int fd = stream();

    dial(fd);
    set(fd, OWN_MS);
    connect(fd, &nowhere, sizeof nowhere);
    dial_and_say(fd);
}

static void unblocked(void)
{
    int fd = stream();
    struct pollfd one = {.fd = fd, .events = POLLOUT};

    set(fd, OWN_MS);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (dial(fd) == EINPROGRESS)
        poll(&one, 1, 30000);
    say(fd);
    close(fd);
}

/* Nobody answers where the queue of a listener is full. */
static void shorter(void)
{
    int listener = stream(), fd = stream(), others[FULL];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct timespec began, ended;

    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 0) != 0)
        exit(2);
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (int i = 0; i < FULL; i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(others[i], (struct sockaddr *)&at, sizeof at);
    }
    usleep(50000);
    set(fd, SHORT_MS);
    clock_gettime(CLOCK_MONOTONIC, &began);
    int error = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%s %s\n", strerror(error), ended.tv_sec - began.tv_sec < 5 ? "soon" : "late");
    say(fd);
    exit(0);
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        void (*way)(void);
    } ways[] = {
        {"none",        none       },
        {"late",        late       },
        {"before-dup",  before_dup },
        {"after-dup",   after_dup  },
        {"before-fork", before_fork},
        {"after-fork",  after_fork },
        {"in-thread",   in_thread  },
        {"again",       again      },
        {"unblocked",   unblocked  },
        {"shorter",     shorter    },
    };

    if (count != 3)
        return 2;
    to = (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((in_port_t)atoi(words[2])),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int times = strcmp(words[1], ways[i].name) == 0 ? 3 : 0; times > 0; times--)
            ways[i].way();
    printf("\n");
    return 0;
}
