/* Connects in signal handlers, threads and children. */
#include "sockets.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

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
void handler(void)
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
void forks(void)
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
void torn(void)
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
void vforks(void)
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
void replaced(void)
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
void narrow(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);
    pthread_attr_t small;
    pthread_t thread;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, (size_t)sysconf(_SC_THREAD_STACK_MIN));
    if (pthread_create(&thread, &small, dial_shortly, &to) == 0)
        pthread_join(thread, NULL);
}
