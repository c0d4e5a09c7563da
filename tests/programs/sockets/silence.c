/* Where nobody answers. */
#include "sockets.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>

/* A port whose queue is full drops what comes. */
static struct sockaddr_in full_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = stream(true);

    inet_pton(AF_INET, words[0], &at.sin_addr);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (int i = 0; i < 3; i++)
        dial(stream(false), &at);
    return at;
}

static sigjmp_buf back;

static void jump(int signal_number)
{
    siglongjmp(back, signal_number);
}

static void nothing(int signal_number)
{
    (void)signal_number;
}

static void *dial_for_ever(void *to)
{
    dial(stream(true), to);
    return NULL;
}

/* dropped HOST: signals, jumps and a cancelled thread, out of a connect that nobody answers */
void dropped(void)
{
    struct sockaddr_in to = full_port();
    struct sigaction interrupts = {.sa_handler = nothing},
                     restarts = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    struct itimerval soon =
                         {
                             {0, 0     },
                             {0, 150000}
    },
                     often = {{0, 30000}, {0, 30000}}, never = {{0, 0}, {0, 0}};
    pthread_t thread;
    void *ended = NULL;

    sigaction(SIGALRM, &interrupts, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    int fd = stream(true);
    printf("a signal: %s\n", strerror(dial(fd, &to)));
    printf("and then: %s\n", strerror(fcntl(fd, F_SETFL, O_NONBLOCK) ? errno : dial(fd, &to)));
    close(fd);
    signal(SIGALRM, jump);
    setitimer(ITIMER_REAL, &soon, NULL);
    if (sigsetjmp(back, 1) == 0)
        dial(stream(true), &to);
    else
        printf("jumped\n");
    pthread_create(&thread, NULL, dial_for_ever, &to);
    usleep(150000);
    pthread_cancel(thread);
    pthread_join(thread, &ended);
    printf("thread %s\n", ended == PTHREAD_CANCELED ? "cancelled" : "ended");
    sigaction(SIGALRM, &restarts, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int own_ms = 2000;
    fd = stream(true);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms); /* so that bare it ends as well */
    long began = now_ms();
    printf("signals that restart: %s\n", strerror(dial(fd, &to)));
    setitimer(ITIMER_REAL, &never, NULL);
    fprintf(stderr, "took %ld\n", now_ms() - began);
}

/* reset HOST: whoever waits with select, asks nobody, and is reset once it talks, was connected */
void reset(void)
{
    struct sockaddr_in at = address_of(words[0], "0");
    socklen_t size = sizeof at;
    struct linger hard = {1, 0};
    int listener = stream(true);
    char answer[8];
    fd_set writable;

    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 9);
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (int i = 0; i < 3; i++) {
        int fd = stream(false), result = dial(fd, &at);
        FD_ZERO(&writable);
        FD_SET(fd, &writable);
        select(fd + 1, NULL, &writable, NULL, NULL);
        int peer = accept(listener, NULL, NULL);
        long sent = write(fd, "hello", 5);
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(peer);
        usleep(20000);
        long got = read(fd, answer, sizeof answer);
        printf("%d, sent %ld, got %ld %s\n", result, sent, got, strerror(errno));
        close(fd);
    }
}
