/*
 * A client that confines itself by a filter that kills for whatever it does not do itself, and then connects.
 *   sandboxed prctl|thread fresh|used PORT   thread: the filter is set by a thread that then connects
 *   sandboxed pending fresh PORT             nobody has asked how a connect ended when the filter is set;
 *                                          tells the socket's limit
 *   sandboxed strict fresh PORT              the same, in the strict mode, which has no filter
 *   sandboxed refused fresh PORT             filters that the kernel does not take; then connects twice
 *   sandboxed curl fresh PORT                one handle is used twice before, and once after
 *   sandboxed race fresh PORT                again and again, while other threads connect; tells how many
 * died used: a connect comes before.
 */
#include <curl/curl.h>
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
#include <sys/wait.h>
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

static void tell_limit(int fd)
{
    unsigned limit = 1;
    socklen_t length = sizeof limit;

    getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, &length);
    printf("limit %u\n", limit);
}

static bool accept_all(void)
{
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, all};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int told[2];

/* The strict mode is the thread's own, and leaves it no more than this. */
static void *strict(void *unused)
{
    say(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0 ? "strict\n" : "no strict mode here\n");
    if (write(told[1], "", 1) == 1)
        syscall(SYS_exit, 0);
    return unused;
}

/* Datagrams: nothing is as quick. Either to one place, or each time to another. */
static void *dial_on(void *elsewhere)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned i = 0;; i++) {
        if (elsewhere)
            to.sin_port = htons((uint16_t)(1024 + i % 60000));
        connect(fd, (struct sockaddr *)&to, sizeof to);
    }
    return NULL;
}

static void race_once(unsigned number)
{
    pthread_t threads[2];

    for (unsigned i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, dial_on, i ? &port : NULL) != 0)
            _exit(2);
    usleep(300 + number % 200);
    bool is_confined = accept_all();
    usleep(300);
    _exit(is_confined ? 0 : 2);
}

static int race(void)
{
    enum { ROUNDS = 500 };
    unsigned dead = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            race_once(i);
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 0)
            dead++;
    }
    printf("%u died\n", dead);
    return 0;
}

static int use_handle(void)
{
    CURL *easy = curl_easy_init();
    char url[64];
    int failed = 0;

    snprintf(url, sizeof url, "http://127.0.0.1:%u/?key=handle", port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fopen("/dev/null", "w"));
    for (int i = 0; i < 3; i++) {
        failed |= i == 2 && !accept_all();
        failed |= curl_easy_perform(easy) != CURLE_OK;
    }
    curl_easy_cleanup(easy);
    return failed;
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
        dial(fd);
        accept_all();
        tell_limit(fd);
        return 0;
    }
    if (strcmp(argv[1], "strict") == 0) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        char byte;
        dial(fd);
        if (pipe(told) != 0 || pthread_create(&thread, NULL, strict, NULL) != 0 ||
            read(told[0], &byte, 1) != 1)
            return 2;
        tell_limit(fd);
        return 0;
    }
    if (strcmp(argv[1], "curl") == 0)
        return use_handle();
    if (strcmp(argv[1], "race") == 0)
        return race();
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
