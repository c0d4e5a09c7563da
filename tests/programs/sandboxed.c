/*
 * A client that confines itself by a filter that kills for whatever it does not do itself, and then connects.
 *   sandboxed prctl|thread fresh|used PORT   thread: the filter is set by a thread that then connects
 *   sandboxed pending fresh PORT             nobody has asked how a connect ended when the filter is set;
 * tells the socket's limit sandboxed refused fresh PORT             filters that the kernel does not take;
 * then connects twice used: a connect comes before.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOW(name)                                                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static unsigned port;

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(3);
}

static int dial(int fd)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

static bool confine(void)
{
    struct sock_filter strict[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(socket),
        ALLOW(connect),
        ALLOW(close),
        ALLOW(write),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof strict / sizeof *strict, strict};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void *confined(void *unused)
{
    if (!confine())
        say("no filter here\n");
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | (i == 1 ? SOCK_NONBLOCK : 0), 0);
        int error = dial(fd);
        say(error == 0 || error == EINPROGRESS ? "connected\n" : "failed\n");
        close(fd);
    }
    _exit(0);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    if (argc < 4)
        return 2;
    port = (unsigned)atoi(argv[3]);
    if (strcmp(argv[2], "used") == 0)
        dial(socket(AF_INET, SOCK_STREAM, 0));
    if (strcmp(argv[1], "pending") == 0) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        unsigned limit = 1;
        socklen_t length = sizeof limit;
        struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog program = {1, all};
        dial(fd);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
        getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, &length);
        printf("limit %u\n", limit);
        return 0;
    }
    if (strcmp(argv[1], "refused") == 0) {
        struct sock_fprog empty = {0, NULL};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty);
        return dial(socket(AF_INET, SOCK_STREAM, 0)) + dial(socket(AF_INET, SOCK_STREAM, 0));
    }
    if (strcmp(argv[1], "thread") == 0 && pthread_create(&thread, NULL, confined, NULL) == 0)
        pthread_join(thread, NULL);
    confined(NULL);
}
