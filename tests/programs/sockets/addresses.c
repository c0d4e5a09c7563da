/* Addresses that are odd, and what is no stream. */
#include "sockets.h"

#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/un.h>

static void try_at(const char *name, const void *at, socklen_t length)
{
    int fd = stream(true);
    errno = 0;
    int result = connect(fd, at, length);
    printf("%s: %d %s\n", name, result, strerror(errno));
    close(fd);
}

/* fault PORT: addresses that lie where nothing can be read, or are too short or too long */
void fault(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sockaddr_in to = address_of("127.0.0.1", words[0]), *heap = malloc(sizeof *heap);

    *heap = to;
    memcpy(pages + page - 8, &to, 8);
    memcpy(pages, &to, sizeof to);
    try_at("stack", &to, sizeof to); /* gusset maps what it needs, and would find the gap */
    munmap(pages + page, page);
    mprotect(pages + 2 * page, page, PROT_NONE);
    try_at("heap", heap, sizeof *heap);
    try_at("elsewhere", pages, sizeof to);
    try_at("NULL", NULL, sizeof to);
    try_at("low", (void *)16, sizeof to);
    try_at("-1", (void *)-1, sizeof to);
    try_at("the kernel's", (void *)(UINTPTR_MAX - 4096), sizeof to);
    try_at("unmapped", pages + page, sizeof to);
    try_at("forbidden", pages + 2 * page, sizeof to);
    try_at("half of it", pages + page - 8, sizeof to);
    try_at("half of it, but short", pages + page - 8, 8);
    try_at("no length", &to, 0);
    try_at("one byte", &to, 1);
    try_at("too long", &to, 4096);
    try_at("negative", &to, (socklen_t)-1);
    free(heap);
}

/* others PORT: what is no stream to somewhere goes by */
void others(void)
{
    struct sockaddr_in to = address_of("127.0.0.1", words[0]);
    struct sockaddr_nl link = {.nl_family = AF_NETLINK};
    struct sockaddr_vm machine = {.svm_family = AF_VSOCK, .svm_cid = 1, .svm_port = 9};
    struct sockaddr_un hidden = {.sun_family = AF_UNIX, .sun_path = "\0nobody-is-here"};
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int datagram = socket(AF_INET, SOCK_DGRAM, 0), mptcp = socket(AF_INET, SOCK_STREAM, 262), one = 1;
    int fast = stream(true);

    printf("datagram %d\n", dial(datagram, &to));
    printf("again %d\n", connect(datagram, &nowhere, sizeof nowhere));
    if (mptcp >= 0)
        printf("MPTCP %d\n", dial(mptcp, &to));
    int netlink = socket(AF_NETLINK, SOCK_RAW, 0);
    printf("netlink %d\n", connect(netlink, (struct sockaddr *)&link, sizeof link));
    int vsock = socket(AF_VSOCK, SOCK_STREAM, 0);
    printf("vsock %d\n", vsock < 0 ? 0 : connect(vsock, (struct sockaddr *)&machine, sizeof machine));
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    printf("abstract %d %s\n", connect(local, (struct sockaddr *)&hidden, sizeof hidden), strerror(errno));
    printf("no socket %d %s\n", dial(0, &to), strerror(errno));
    printf("no descriptor %d\n", dial(-1, &to));
    setsockopt(fast, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one);
    printf("Fast Open %d\n", dial(fast, &to));
}

/* mixed HOST PORT: datagrams go where connections have gone before, and the other way round */
void mixed(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);

    for (int i = 0; i < 30; i++) {
        int fd = socket(AF_INET, i / 5 % 2 ? SOCK_DGRAM : SOCK_STREAM, 0);
        printf("%d", dial(fd, &to));
        close(fd);
    }
    printf("\n");
}

/* itself PORT: a socket whose own port is the one that it connects to */
void itself(void)
{
    struct sockaddr_in to = address_of("127.0.0.1", words[0]);
    int fd = stream(true), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bind(fd, (struct sockaddr *)&to, sizeof to);
    printf("%s\n", strerror(dial(fd, &to)));
}
