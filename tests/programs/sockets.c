/*
 * Programs that use connect(2) in ways that are legal and rare. Usage: sockets SCENARIO ARGUMENT ...
 * They say what they see; the test holds what they say under gusset against what they say bare.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **words;

static struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, host, &to.sin_addr);
    return to;
}

static int dial(int fd, const struct sockaddr_in *to)
{
    return connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 ? 0 : errno;
}

static int stream(bool blocks)
{
    return socket(AF_INET, SOCK_STREAM | (blocks ? 0 : SOCK_NONBLOCK), 0);
}

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, option, &value, &size) == 0 ? value : -errno;
}

static void wait_for(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    poll(&one, 1, 30000);
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* rust HOST PORT: as Rust's connect_timeout does: it asks SO_ERROR only where poll tells of an error */
static void rust(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fd = stream(false), error = dial(fd, &to);
    struct pollfd one = {.fd = fd, .events = POLLOUT};

    if (error == EINPROGRESS) {
        error = poll(&one, 1, 30000) == 1 ? 0 : ETIMEDOUT;
        if (one.revents & (POLLHUP | POLLERR))
            error = option_of(fd, SOL_SOCKET, SO_ERROR);
    }
    fcntl(fd, F_SETFL, 0);
    printf("%s; user timeout %d\n", error ? strerror(error) : "connected",
           option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
    close(fd);
}

/* ---- addresses ---- */

static void try_at(const char *name, const void *at, socklen_t length)
{
    int fd = stream(true);
    errno = 0;
    int result = connect(fd, at, length);
    printf("%s: %d %s\n", name, result, strerror(errno));
    close(fd);
}

/* fault PORT: addresses that lie where nothing can be read, or are too short or too long */
static void fault(void)
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
static void others(void)
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
static void mixed(void)
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
static void itself(void)
{
    struct sockaddr_in to = address_of("127.0.0.1", words[0]);
    int fd = stream(true), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bind(fd, (struct sockaddr *)&to, sizeof to);
    printf("%s\n", strerror(dial(fd, &to)));
}

/* ---- what is left behind ---- */

static void say_left(const char *way, int fd, int result)
{
    struct timeval limit = {-1, -1};
    socklen_t size = sizeof limit;

    getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
    printf("%s: %s, user timeout %d, send timeout %ld.%ld, error %d, flags %o, mark %d\n", way,
           strerror(result), option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), (long)limit.tv_sec,
           (long)limit.tv_usec, option_of(fd, SOL_SOCKET, SO_ERROR), fcntl(fd, F_GETFL),
           option_of(fd, IPPROTO_TCP, TCP_NODELAY));
    close(fd);
}

/* left HOST PORT: a socket's options after each way to a connection */
static void left(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int own_ms = 70000, one = 1, fd = stream(true);
    struct timeval own = {33, 0};

    errno = 0;
    say_left("blocking", fd, dial(fd, &to));
    fd = stream(true);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &own, sizeof own);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    say_left("blocking, with limits of its own", fd, dial(fd, &to));
    fd = stream(false);
    dial(fd, &to);
    wait_for(fd);
    say_left("poll", fd, 0);
    fd = stream(false);
    dial(fd, &to);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &own_ms, sizeof own_ms);
    wait_for(fd);
    say_left("poll, with a limit set meanwhile", fd, 0);
    fd = stream(false);
    dial(fd, &to);
    usleep(50000);
    say_left("SO_ERROR", fd, option_of(fd, SOL_SOCKET, SO_ERROR));
    fd = stream(false);
    dial(fd, &to);
    usleep(50000);
    say_left("a second connect", fd, dial(fd, &to));
    fd = stream(false);
    dial(fd, &to);
    wait_for(fd);
    int second = dial(fd, &to), third = dial(fd, &to);
    printf("second %d third %d\n", second, third);
    say_left("poll and a second connect", fd, 0);
    fd = stream(false);
    dial(fd, &to);
    int twin = dup(fd);
    close(fd);
    wait_for(twin);
    say_left("the other of two descriptors", twin, option_of(twin, SOL_SOCKET, SO_ERROR));
    fd = stream(false);
    dial(fd, &to);
    int other = open("/dev/null", O_RDONLY);
    twin = dup(fd);
    dup2(other, fd);
    wait_for(twin);
    say_left("one that dup2 has replaced", twin, 0);
    close(other);
    close(fd);
}

/* ---- signals, threads, children ---- */

static struct sockaddr_in somewhere;
static atomic_int connects;

static void dial_once(void)
{
    int kept = errno, fd = stream(connects & 1);

    if (dial(fd, &somewhere) == EINPROGRESS)
        wait_for(fd);
    close(fd);
    atomic_fetch_add(&connects, 1);
    errno = kept;
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
    dial_once();
}

/* handler HOST PORT: a signal handler that connects, while the program does nothing else */
static void handler(void)
{
    struct itimerval often =
                         {
                             {0, 700},
                             {0, 700}
    },
                     never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    somewhere = address_of(words[0], words[1]);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 1000; i++)
        dial_once();
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%s\n", connects >= 1000 ? "all came back" : "lost");
}

static atomic_bool is_over;

static void *dial_on(void *nothing)
{
    while (!is_over)
        dial_once();
    return nothing;
}

/* forks HOST PORT: threads connect while the program forks children that connect */
static void forks(void)
{
    pthread_t threads[4];
    int fine = 0, status;

    somewhere = address_of(words[0], words[1]);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, dial_on, NULL);
    for (int i = 0; i < 40; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            for (int c = 0; c < 3; c++)
                dial_once();
            _exit(0);
        }
        fine += waitpid(child, &status, 0) == child && status == 0;
    }
    is_over = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    printf("%d of 40 children ended well\n", fine);
}

static volatile sig_atomic_t is_child;
static volatile sig_atomic_t crashed;

static void collect(int flags)
{
    int status;

    while (waitpid(-1, &status, flags) > 0)
        crashed += status != 0;
}

/* The child returns from its handler, to wherever the program was. */
static void fork_off(int signal_number)
{
    int kept = errno;

    (void)signal_number;
    if (!is_child && fork() == 0)
        is_child = 1;
    if (!is_child)
        collect(WNOHANG);
    errno = kept;
}

/* torn HOST PORT: a signal handler forks, and parent and child both go on in the midst of a connect */
static void torn(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    struct itimerval often =
                         {
                             {0, 1500},
                             {0, 1500}
    },
                     never = {{0, 0}, {0, 0}};

    signal(SIGALRM, fork_off);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 6000; i++) {
        int fd = stream(false);
        dial(fd, &to);
        wait_for(fd);
        option_of(fd, SOL_SOCKET, SO_ERROR);
        close(fd);
        if (is_child)
            _exit(0);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    collect(0);
    printf("%d children crashed\n", (int)crashed);
}

/* vforks HOST PORT: a vfork child closes, as its own, what its parent waits for; and connects itself */
static void vforks(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fd = stream(false), result = dial(fd, &to), status;

    pid_t child = vfork();
    if (child == 0) {
        int own = stream(false);
        dial(own, &to);
        for (int i = 3; i < 64; i++)
            close(i);
        _exit(0);
    }
    waitpid(child, &status, 0);
    wait_for(fd);
    printf("%d, child %d, error %d, user timeout %d\n", result, status, option_of(fd, SOL_SOCKET, SO_ERROR),
           option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
    close(fd);
}

/* ---- where nobody answers ---- */

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
static void dropped(void)
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
static void reset(void)
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

/* held HOST PORT: what a socket that does not block says when it is asked once more, of a refusal at once */
static void held(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    int fd = stream(false);

    for (int i = 0; i < 3; i++)
        printf("%s ", strerror(dial(fd, &to)));
    printf("\n");
}

static int shared_fd;

static void *replace(void *to)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;

    usleep(200000);
    close(shared_fd);
    int fd = stream(true), result = dial(fd, to);
    usleep(900000);
    printf("%s descriptor, %s, still %s\n", fd == shared_fd ? "the same" : "another", strerror(result),
           getpeername(fd, (struct sockaddr *)&name, &size) == 0 ? "connected" : strerror(errno));
    return NULL;
}

/* replaced HOST CLOSED-PORT HOST PORT: another thread closes the socket, and its number becomes another's */
static void replaced(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]), theirs = address_of(words[2], words[3]);
    pthread_t thread;

    shared_fd = stream(true);
    pthread_create(&thread, NULL, replace, &theirs);
    int result = dial(shared_fd, &to);
    pthread_join(thread, NULL);
    printf("%s\n", strerror(result));
}

static void *dial_shortly(void *to)
{
    printf("%s\n", strerror(dial(stream(true), to)));
    return NULL;
}

/* narrow HOST PORT: the first connect of all comes from a thread whose stack is as small as may be */
static void narrow(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    pthread_attr_t small;
    pthread_t thread;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, (size_t)sysconf(_SC_THREAD_STACK_MIN));
    if (pthread_create(&thread, &small, dial_shortly, &to) == 0)
        pthread_join(thread, NULL);
}

/* ---- descriptors ---- */

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* descriptors HOST PORT: closes all that it does not know, in three ways, with a connect on its way */
static void descriptors(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);

    for (int way = 0; way < 3; way++) {
        int fd = stream(false);
        dial(fd, &to);
        printf("%d open, the next is %d", open_descriptors(), fd);
        for (int i = 3; way == 0 && i < 64; i++)
            close(i);
        if (way == 1)
            close_range(3, ~0u, 0);
        if (way == 2)
            closefrom(3);
        printf(", then %d\n", open_descriptors());
        fd = stream(true);
        printf("%d: %s\n", fd, strerror(dial(fd, &to)));
        close(fd);
    }
}

/* ---- names ---- */

static void dial_entry(const struct hostent *entry, const char *port)
{
    struct sockaddr_in to = address_of("0.0.0.0", port);

    memcpy(&to.sin_addr, entry->h_addr_list[0], sizeof to.sin_addr);
    int fd = stream(true);
    printf("%s\n", strerror(dial(fd, &to)));
    close(fd);
}

static void dial_list(const struct addrinfo *list)
{
    int fd = socket(list->ai_family, SOCK_STREAM, 0);
    printf("%s\n", connect(fd, list->ai_addr, list->ai_addrlen) ? strerror(errno) : "Success");
    close(fd);
}

/* names WAY NAME PORT: each way to look a name up, then a connect */
static void names(void)
{
    const char *way = words[0], *name = words[1], *port = words[2];
    struct addrinfo *list = NULL, mapped = {.ai_family = AF_INET6, .ai_flags = AI_V4MAPPED};
    struct gaicb request = {.ar_name = name, .ar_service = port}, *requests[] = {&request};
    struct hostent room, *entry = NULL;
    char buffer[4096];
    int error;

    if (strcmp(way, "getaddrinfo") == 0 && getaddrinfo(name, port, NULL, &list) == 0)
        dial_list(list);
    else if (strcmp(way, "mapped") == 0 && getaddrinfo(name, port, &mapped, &list) == 0)
        dial_list(list);
    else if (strcmp(way, "gethostbyname") == 0 && (entry = gethostbyname(name)))
        dial_entry(entry, port);
    else if (strcmp(way, "gethostbyname2") == 0 && (entry = gethostbyname2(name, AF_INET)))
        dial_entry(entry, port);
    else if (strcmp(way, "gethostbyname_r") == 0 &&
             gethostbyname_r(name, &room, buffer, sizeof buffer, &entry, &error) == 0 && entry)
        dial_entry(entry, port);
    else if (strcmp(way, "gethostbyname2_r") == 0 &&
             gethostbyname2_r(name, AF_INET, &room, buffer, sizeof buffer, &entry, &error) == 0 && entry)
        dial_entry(entry, port);
    else if (strcmp(way, "getaddrinfo_a") == 0 && getaddrinfo_a(GAI_WAIT, requests, 1, NULL) == 0)
        dial_list(request.ar_result);
    else if (strcmp(way, "gai_error") == 0 && getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL) == 0) {
        const struct gaicb *const pending[] = {&request};
        while (gai_suspend(pending, 1, NULL) != EAI_ALLDONE && gai_error(&request) == EAI_INPROGRESS)
            ;
        if (gai_error(&request) == 0)
            dial_list(request.ar_result);
    } else {
        printf("unknown\n");
    }
}

/* ---- sandboxes ---- */

#define ALLOW(name)                                                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* sandbox HOST PORT: a connect to open the doors, then only what a client needs; anything else kills */
static void sandbox(void)
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

int main(int count, char **all)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"rust",        rust       },
        {"fault",       fault      },
        {"others",      others     },
        {"mixed",       mixed      },
        {"itself",      itself     },
        {"left",        left       },
        {"handler",     handler    },
        {"forks",       forks      },
        {"torn",        torn       },
        {"vforks",      vforks     },
        {"dropped",     dropped    },
        {"reset",       reset      },
        {"held",        held       },
        {"replaced",    replaced   },
        {"narrow",      narrow     },
        {"descriptors", descriptors},
        {"names",       names      },
        {"sandbox",     sandbox    },
    };

    words = all + 2;
    for (size_t i = 0; count > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(all[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    fprintf(stderr, "usage: sockets SCENARIO ...\n");
    return 2;
}
