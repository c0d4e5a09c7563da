#include "tool/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static void set_of_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
        sigaddset(set, forwarded[i]);
}

/*
 * In the child: everything as it was, then the program. What fails is told through the pipe, which exec
 * closes.
 */
static void start(const char *path, char **argv, const sigset_t *mask, const struct sigaction *chld, int told)
{
    sigaction(SIGCHLD, chld, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(path, argv);
    int error = errno;
    if (write(told, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/*
 * Signals are taken one by one instead of in handlers. What the terminal sends (si_code is then the kernel's)
 * it sends to the whole foreground group, so the child has it already.
 */
static int wait_for(pid_t child, const sigset_t *set, int *outcome)
{
    for (;;) {
        siginfo_t info;
        int number = sigwaitinfo(set, &info);
        if (number < 0 && errno != EINTR)
            return -errno;
        if (number == SIGCHLD) {
            pid_t ended = waitpid(child, outcome, WNOHANG);
            if (ended == child)
                return 0;
            if (ended < 0 && errno != EINTR)
                return -errno;
        } else if (number > 0 && info.si_code <= 0) {
            kill(child, number);
        }
    }
}

int child_run(const char *path, char **argv, int *outcome)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};
    struct sigaction chld;
    sigset_t set, mask;
    int pipe_ends[2], error = 0;

    if (pipe2(pipe_ends, O_CLOEXEC) < 0)
        return -errno;
    set_of_signals(&set);
    /* Ignored, as some parents leave it, there would be nothing to wait for. */
    sigaction(SIGCHLD, &plain, &chld);
    sigprocmask(SIG_BLOCK, &set, &mask);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        start(path, argv, &mask, &chld, pipe_ends[1]);
    close(pipe_ends[1]);
    if (child < 0)
        error = errno;
    else if (read(pipe_ends[0], &error, sizeof error) == (ssize_t)sizeof error)
        waitpid(child, outcome, 0);
    close(pipe_ends[0]);
    int result = error ? -error : wait_for(child, &set, outcome);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return result;
}

int child_end_alike(int outcome)
{
    if (WIFEXITED(outcome))
        return WEXITSTATUS(outcome);
    int number = WTERMSIG(outcome);
    sigset_t set;

    fflush(NULL);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* one core dump is enough */
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    return 128 + number;
}
