/* A program that allows itself few system calls. */
#include "sockets.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALLOW(name)                                                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* sandbox HOST PORT: a connect to open the doors, then only what a client needs; anything else kills */
void sandbox(void)
{
    struct sock_filter strict[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(socket),
        ALLOW(connect),
        ALLOW(close),
        ALLOW(getsockopt),
        ALLOW(setsockopt),
        ALLOW(write),
        ALLOW(exit_group),
        ALLOW(clock_gettime),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof strict / sizeof *strict, strict};
    struct sockaddr_in to = address_of(words[0], words[1]);

    setbuf(stdout, NULL);
    printf("outside: %s\n", strerror(dial(stream(true), &to)));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return;
    for (int i = 0; i < 3; i++) {
        int fd = stream(true);
        printf("inside: %s\n", strerror(dial(fd, &to)));
        close(fd);
    }
}
